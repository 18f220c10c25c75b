//! Waiting for something that takes a moment, and saying what could not be run.

use std::{
    fs::OpenOptions,
    io::Write,
    time::{Duration, Instant},
};

/// Long enough for a message to travel on a busy machine. A test that waits this long has failed.
pub const SOON: Duration = Duration::from_secs(10);

const PAUSE: Duration = Duration::from_millis(10);

/// What a look may find: whether something holds, or the thing itself.
pub trait Look {
    /// What is given back.
    type Found;

    /// `None` where it is not there yet.
    fn found(self) -> Option<Self::Found>;
}

impl Look for bool {
    type Found = ();

    fn found(self) -> Option<()> {
        self.then_some(())
    }
}

impl<T> Look for Option<T> {
    type Found = T;

    fn found(self) -> Option<T> {
        self
    }
}

/// Looks until it is there, and gives it back; panics with `what` after `deadline`.
pub async fn eventually<F>(deadline: Duration, what: &str, mut look: impl FnMut() -> F) -> <F::Output as Look>::Found
where
    F: Future<Output: Look>,
{
    let began = Instant::now();
    loop {
        if let Some(found) = look().await.found() {
            return found;
        }
        pause(began, deadline, what).await;
    }
}

/// The same for a look that changes what it has borrowed. It cannot be spawned: compilers of today do not see that it is `Send`.
pub async fn eventually_mut<L: Look>(deadline: Duration, what: &str, mut look: impl AsyncFnMut() -> L) -> L::Found {
    let began = Instant::now();
    loop {
        if let Some(found) = look().await.found() {
            return found;
        }
        pause(began, deadline, what).await;
    }
}

async fn pause(began: Instant, deadline: Duration, what: &str) {
    assert!(began.elapsed() < deadline, "not within {deadline:?}: {what}");
    tokio::time::sleep(PAUSE).await;
}

/// Says that a test was not run, and how to get what it needs. It is also written to the file named by `NOT_RUN_FILE`, from
/// which `make test` makes its last lines.
pub fn not_run(what_and_how_to_get_it: &str) {
    let line = format!("not run: {what_and_how_to_get_it}");
    println!("{line}");
    let Some(path) = std::env::var_os("NOT_RUN_FILE") else { return };
    let file = OpenOptions::new().create(true).append(true).open(path);
    let written = file.and_then(|mut file| writeln!(file, "{line}"));
    written.expect("NOT_RUN_FILE names a file that can be written");
}
