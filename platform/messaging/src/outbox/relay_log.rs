//! What the relay logs: one line for each change, and none about what it has not seen.
//!
//! A round in which nothing waits says that the outbox works, and nothing about the bus: another process may have published
//! what could not be published here.

use std::time::Duration;

use process::log_on_change::LogOnChange;

use super::{OutboxError, Round};

/// Whether the outbox and the bus work, as it was logged last.
#[derive(Debug)]
pub(super) struct RelayLog {
    outbox: LogOnChange<bool>,
    bus: LogOnChange<bool>,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    OutboxFails,
    OutboxWorks,
    BusAway,
    Published,
}

impl RelayLog {
    pub(super) fn new() -> Self {
        Self { outbox: LogOnChange::working(), bus: LogOnChange::working() }
    }

    pub(super) fn round(&mut self, round: &Result<Round, OutboxError>) {
        let cause = round.as_ref().err().map(ToString::to_string).unwrap_or_default();
        match self.change(round) {
            Some(Line::OutboxFails) => tracing::warn!("the outbox does not work, messages wait in it: {cause}"),
            Some(Line::OutboxWorks) => tracing::info!("the outbox works again"),
            Some(Line::BusAway) => tracing::warn!("messages cannot be published, they wait in the outbox"),
            Some(Line::Published) => tracing::info!("messages are published again"),
            None => {}
        }
    }

    fn change(&mut self, round: &Result<Round, OutboxError>) -> Option<Line> {
        let Ok(round) = round else {
            return self.outbox.fails().then_some(Line::OutboxFails);
        };
        let outbox_works_again = self.outbox.works_after(Duration::ZERO);
        match round {
            Round::Away if self.bus.fails() => Some(Line::BusAway),
            Round::Published(1..) if self.bus.works_after(Duration::ZERO) || outbox_works_again => {
                Some(Line::Published)
            }
            Round::Away | Round::Published(_) | Round::Idle => outbox_works_again.then_some(Line::OutboxWorks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rounds: &[Result<Round, &str>]) -> Vec<Line> {
        let mut log = RelayLog::new();
        let rounds = rounds.iter().map(|round| round.map_err(|cause| OutboxError(cause.to_owned())));
        rounds.filter_map(|round| log.change(&round)).collect()
    }

    #[test]
    fn a_change_is_logged_once() {
        let (away, published, failed) = (Ok(Round::Away), Ok(Round::Published(3)), Err("lost"));
        assert_eq!(lines(&[published, published, Ok(Round::Idle)]), []);
        assert_eq!(lines(&[away, away, published, published]), [Line::BusAway, Line::Published]);
        assert_eq!(lines(&[failed, failed, published, published]), [Line::OutboxFails, Line::Published]);
        assert_eq!(lines(&[failed, away, published]), [Line::OutboxFails, Line::BusAway, Line::Published]);
        let twice = [away, failed, away, published];
        assert_eq!(lines(&twice), [Line::BusAway, Line::OutboxFails, Line::OutboxWorks, Line::Published]);
    }

    #[test]
    fn that_nothing_waits_says_nothing_about_the_bus() {
        let idle = Ok(Round::Idle);
        assert_eq!(lines(&[Ok(Round::Away), idle, Ok(Round::Published(0)), idle, Ok(Round::Away)]), [Line::BusAway]);
        assert_eq!(lines(&[Err("lost"), idle, idle]), [Line::OutboxFails, Line::OutboxWorks]);
    }
}
