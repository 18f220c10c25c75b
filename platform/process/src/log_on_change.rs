//! One log line for each change, not one for each request or try: a full disk fails thousands of requests.
//!
//! [`LogOnChange`] remembers the state that was logged last and says whether a new one is a change. The caller writes the line.
//! Used by the store, the relay, the consumers and the connection to the broker.

use std::time::{Duration, Instant};

/// The state that was logged last.
#[derive(Debug)]
pub struct LogOnChange<S> {
    state: S,
    /// When it was last seen.
    seen: Instant,
}

impl<S: PartialEq> LogOnChange<S> {
    /// Begins with a state that needs no log line.
    pub fn new(state: S) -> Self {
        Self { state, seen: Instant::now() }
    }

    /// The state is this one now. True if that is a change, and must be logged.
    pub fn changes_to(&mut self, state: S) -> bool {
        self.seen = Instant::now();
        let changed = self.state != state;
        self.state = state;
        changed
    }

    /// The state that was logged last.
    pub fn state(&self) -> &S {
        &self.state
    }
}

/// Whether something fails.
impl LogOnChange<bool> {
    /// Nothing has failed yet.
    pub fn working() -> Self {
        Self::new(false)
    }

    /// It failed. True for the first failure.
    pub fn fails(&mut self) -> bool {
        self.changes_to(true)
    }

    /// It worked. True if it had failed, and not again for `quiet`: while a disk is full, some requests still fit.
    pub fn works_after(&mut self, quiet: Duration) -> bool {
        self.state && self.seen.elapsed() >= quiet && self.changes_to(false)
    }

    /// Whether it fails, as far as it was logged.
    pub fn is_failing(&self) -> bool {
        self.state
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn only_a_change_is_logged() {
        let mut log = LogOnChange::new("starting");
        assert!(!log.changes_to("starting"));
        assert!(log.changes_to("connected"));
        assert!(!log.changes_to("connected"));
        assert!(log.changes_to("away"));
        assert_eq!(log.state(), &"away");
    }

    #[test]
    fn it_works_again_only_after_a_quiet_time() {
        let mut log = LogOnChange::working();
        assert!(!log.works_after(Duration::ZERO), "it has not failed");
        assert!(log.fails() && !log.fails());
        assert!(!log.works_after(HOUR) && log.is_failing(), "too early");
        assert!(log.works_after(Duration::ZERO) && !log.works_after(Duration::ZERO) && !log.is_failing());
        assert!(log.fails(), "the next failure is a change");
    }
}
