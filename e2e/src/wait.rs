//! Waiting for something that takes a moment, and saying what could not be run.

use std::{
    fs::OpenOptions,
    future::Future,
    io::Write,
    time::{Duration, Instant},
};

/// Long enough for a message to travel on a busy machine. A test that waits this long has failed.
pub const SOON: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(10);

/// Asks `look` until it has something, and gives it back; panics with `what` after `deadline`.
pub async fn eventually<T, F>(deadline: Duration, what: &str, mut look: impl FnMut() -> F) -> T
where
    F: Future<Output = Option<T>>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(began.elapsed() < deadline, "not within {deadline:?}: {what}");
        tokio::time::sleep(PAUSE).await;
    }
}

/// Says that a test was not run, and how to get what it needs. Also told to the file named by `NOT_RUN_FILE`, from
/// which `make test` makes its last lines.
pub fn not_run(what_and_how_to_get_it: &str) {
    let line = format!("not run: {what_and_how_to_get_it}");
    println!("{line}");
    let Some(path) = std::env::var_os("NOT_RUN_FILE") else { return };
    let file = OpenOptions::new().create(true).append(true).open(path);
    let told = file.and_then(|mut file| writeln!(file, "{line}"));
    told.expect("NOT_RUN_FILE names a file that can be written");
}
