//! Since when a series counts: its start timestamp, which Prometheus calls *created*.
//!
//! Prometheus puts a zero there, so that `increase()` has what a series counted before its first scrape. It is the moment in which the
//! series was made: never the start of the process, which would hide that a label is new, and never that of a scrape.
//!
//! A clock that is ahead of Prometheus' would put it behind the scrape. Prometheus leaves it away then, and tries again at the next
//! scrape, when the zero would come between two real samples and look like a restart. So a start that is younger than [`CLOCK_AHEAD`] when it
//! is shown first moves back to that age, once, and stays there. The series did not count then, so a zero is right: unless the process before
//! this one was scraped within that time, which takes an interval of less than 2.5 s. Prometheus would then leave the zero away.

use std::{
    sync::OnceLock,
    time::{Duration, SystemTime},
};

/// How far the clock may be ahead, with half a second for the scrape's own way.
pub(crate) const CLOCK_AHEAD: Duration = Duration::from_millis(2500);

/// The start of one series.
#[derive(Debug)]
pub(crate) struct Start {
    made: Duration,
    shown: OnceLock<Duration>,
}

impl Start {
    pub(crate) fn at(made: Duration) -> Self {
        Self { made, shown: OnceLock::new() }
    }

    /// As it is shown from the first scrape on, which is at `scrape`.
    pub(crate) fn shown(&self, scrape: Duration) -> Duration {
        *self.shown.get_or_init(|| self.made.min(scrape.saturating_sub(CLOCK_AHEAD)))
    }
}

/// The time since 1970.
pub fn now() -> Duration {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_start_is_the_moment_it_was_made_but_never_too_young_at_its_first_scrape_and_does_not_move_after_it() {
        let start = Start::at(now());
        let late = start.made + Duration::from_secs(60);
        assert_eq!(start.shown(late), start.made);
        let early = Start::at(now());
        let scrape = early.made + Duration::from_millis(100);
        assert_eq!(early.shown(scrape), scrape - CLOCK_AHEAD);
        assert_eq!(early.shown(scrape + Duration::from_secs(15)), scrape - CLOCK_AHEAD);
    }
}
