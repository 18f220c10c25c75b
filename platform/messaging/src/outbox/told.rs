//! What the relay says in the log: one line for each change, and none about what it has not seen.
//!
//! A round in which nothing waits says that the outbox works, and nothing about the bus: what could not be published may
//! have gone out by another process.

use super::{OutboxError, relay::Round};

/// What does not work, as it was told last.
#[derive(Debug, Default)]
pub(super) struct Told {
    outbox_failed: bool,
    bus_away: bool,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    OutboxFails,
    OutboxWorks,
    BusAway,
    Published,
}

impl Told {
    pub(super) fn tell(&mut self, round: &Result<Round, OutboxError>) {
        let cause = round.as_ref().err().map(ToString::to_string).unwrap_or_default();
        match self.news(round) {
            Some(Line::OutboxFails) => tracing::warn!("the outbox does not work, messages wait in it: {cause}"),
            Some(Line::OutboxWorks) => tracing::info!("the outbox works again"),
            Some(Line::BusAway) => tracing::warn!("messages cannot be published, they wait in the outbox"),
            Some(Line::Published) => tracing::info!("messages are published again"),
            None => {}
        }
    }

    fn news(&mut self, round: &Result<Round, OutboxError>) -> Option<Line> {
        let (outbox_failed, bus_away) = (self.outbox_failed, self.bus_away);
        self.outbox_failed = round.is_err();
        match round {
            Err(_) => (!outbox_failed).then_some(Line::OutboxFails),
            Ok(Round::Away) => {
                self.bus_away = true;
                if bus_away { outbox_failed.then_some(Line::OutboxWorks) } else { Some(Line::BusAway) }
            }
            Ok(Round::Sent(1..)) => {
                self.bus_away = false;
                (outbox_failed || bus_away).then_some(Line::Published)
            }
            Ok(Round::Sent(0) | Round::Idle) => outbox_failed.then_some(Line::OutboxWorks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rounds: &[Result<Round, &str>]) -> Vec<Line> {
        let mut told = Told::default();
        let rounds = rounds.iter().map(|round| round.map_err(|cause| OutboxError(cause.to_owned())));
        rounds.filter_map(|round| told.news(&round)).collect()
    }

    #[test]
    fn a_change_is_told_once() {
        let (away, sent, lost) = (Ok(Round::Away), Ok(Round::Sent(3)), Err("lost"));
        assert_eq!(lines(&[sent, sent, Ok(Round::Idle)]), []);
        assert_eq!(lines(&[away, away, sent, sent]), [Line::BusAway, Line::Published]);
        assert_eq!(lines(&[lost, lost, sent, sent]), [Line::OutboxFails, Line::Published]);
        assert_eq!(lines(&[lost, away, sent]), [Line::OutboxFails, Line::BusAway, Line::Published]);
        let twice = [away, lost, away, sent];
        assert_eq!(lines(&twice), [Line::BusAway, Line::OutboxFails, Line::OutboxWorks, Line::Published]);
    }

    #[test]
    fn that_nothing_waits_says_nothing_about_the_bus() {
        let idle = Ok(Round::Idle);
        assert_eq!(lines(&[Ok(Round::Away), idle, Ok(Round::Sent(0)), idle, Ok(Round::Away)]), [Line::BusAway]);
        assert_eq!(lines(&[Err("lost"), idle, idle]), [Line::OutboxFails, Line::OutboxWorks]);
    }
}
