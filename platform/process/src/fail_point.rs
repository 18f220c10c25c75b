//! Fail points: places where a test can kill the process, to see that nothing is lost between two steps, or make it panic.
//!
//! `FAIL_POINT=write.stored` kills the process (SIGKILL, so nothing is cleaned up) when it passes that place for the first
//! time, `FAIL_POINT=write.stored:3` for the third time. `FAIL_POINT=write.stored:panic` panics there each time. In release
//! builds the functions are empty and the variable is not read.

/// A place between two steps. The crash tests find the names by reading the sources.
#[inline]
pub fn fail_point(name: &'static str) {
    #[cfg(debug_assertions)]
    armed::pass(name);
    #[cfg(not(debug_assertions))]
    let _ = name;
}

/// Reads `FAIL_POINT`, so that a mistake in it is reported at the start and not in the middle of a transaction.
pub fn arm() {
    #[cfg(debug_assertions)]
    armed::arm();
}

#[cfg(debug_assertions)]
mod armed {
    use std::sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    };

    use rustix::process::{Signal, getpid, kill_process};

    struct Armed {
        name: String,
        /// At which pass the process is killed, counted down; `None` if each one panics.
        passes_left: Option<AtomicU32>,
    }

    /// Global: code in the middle of a transaction cannot be given a value that only tests need.
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();

    fn read() -> Option<Armed> {
        let text = std::env::var("FAIL_POINT").ok()?;
        let (name, times) = text.split_once(':').unwrap_or((&text, "1"));
        let passes = times.parse().ok().filter(|times| *times > 0);
        // A mistake here must not look like a test that has passed.
        if name.is_empty() || (passes.is_none() && times != "panic") {
            eprintln!(
                "FAIL_POINT is {text:?}: it must be a name, or a name, a colon and at which pass, from 1, or panic"
            );
            std::process::exit(2);
        }
        Some(Armed { name: name.to_owned(), passes_left: passes.map(AtomicU32::new) })
    }

    pub(super) fn arm() {
        ARMED.get_or_init(read);
    }

    pub(super) fn pass(name: &'static str) {
        let Some(armed) = ARMED.get_or_init(read).as_ref().filter(|armed| armed.name == name) else { return };
        let Some(passes_left) = &armed.passes_left else { panic!("the fail point {name}") };
        if passes_left.fetch_sub(1, Ordering::Relaxed) == 1 {
            let _ = kill_process(getpid(), Signal::KILL);
        }
    }
}
