//! The rate limit: when the next message may be sent, so that a minute never has more than the robot accepts.
//!
//! The first messages of a minute are sent at once, with one notification each. The other half of the minute's messages is reserved for
//! messages with everything that waits. The pause between two of those is the window divided by their number, so no notification
//! waits longer than that pause.

use std::{collections::VecDeque, time::Duration};

use tokio::time::Instant;

use alerts::dingtalk::MESSAGES_A_MINUTE;

/// A notification that has waited this long shares its message with those behind it: a slow robot must not make a long queue.
const MERGE_AFTER: Duration = Duration::from_secs(2);

/// How long nothing is sent after the robot has refused a message as one too many.
pub(super) const SILENCE: Duration = Duration::from_secs(60);

/// What the robot allows, and how it is used.
#[derive(Clone, Debug)]
pub struct Rules {
    /// Messages are counted over this time.
    pub window: Duration,
    /// The most messages in it.
    pub max_messages: usize,
    /// How many of them may carry a single notification.
    pub max_single: usize,
}

impl Default for Rules {
    /// One second more than a minute: the robot counts when it receives, and we count when it has answered. Half of the
    /// messages are kept for those that carry all that waits: one in 6 s. Alertmanager gives a notification at least 10 s.
    fn default() -> Self {
        let window = Duration::from_secs(61);
        Self { window, max_messages: MESSAGES_A_MINUTE, max_single: MESSAGES_A_MINUTE / 2 }
    }
}

/// What the task that sends may do now.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    /// Send a message with one notification.
    SendOne,
    /// Send a message with all that waits.
    SendAll,
    /// Send nothing before then.
    WaitUntil(Instant),
    /// Send nothing for this long, and refuse what waits: the robot has said that it was too much.
    RobotSilent(Duration),
}

/// The messages of the last minute.
pub(super) struct Pace {
    rules: Rules,
    sent: VecDeque<Instant>,
    silent_until: Option<Instant>,
}

impl Pace {
    pub(super) fn new(rules: Rules) -> Self {
        Self { rules, sent: VecDeque::new(), silent_until: None }
    }

    /// What may be done with what waits; the first has waited `since` then.
    pub(super) fn next_step(&mut self, since: Instant, now: Instant) -> Step {
        if let Some(left) =
            self.silent_until.and_then(|until| until.checked_duration_since(now)).filter(|left| !left.is_zero())
        {
            return Step::RobotSilent(left);
        }
        while self.sent.front().is_some_and(|sent| *sent + self.rules.window <= now) {
            self.sent.pop_front();
        }
        if self.sent.len() < self.rules.max_single {
            return if now - since > MERGE_AFTER { Step::SendAll } else { Step::SendOne };
        }
        let full = self.sent.iter().nth_back(self.rules.max_messages - 1).map(|sent| *sent + self.rules.window);
        let paused = self.sent.back().map(|last| *last + self.pause());
        match full.max(paused) {
            Some(next) if next > now => Step::WaitUntil(next),
            _ => Step::SendAll,
        }
    }

    /// Counts a message that has arrived or may have arrived.
    pub(super) fn sent(&mut self, now: Instant) {
        self.sent.push_back(now);
    }

    /// The robot has refused a message as one too many.
    pub(super) fn too_fast(&mut self, now: Instant) {
        self.silent_until = Some(now + SILENCE);
    }

    fn pause(&self) -> Duration {
        let kept = self.rules.max_messages.saturating_sub(self.rules.max_single).max(1);
        self.rules.window / u32::try_from(kept).unwrap_or(u32::MAX)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends as often as allowed for this many seconds; returns the times.
    fn sends(seconds: u64) -> Vec<Duration> {
        let (began, mut pace, mut sent) = (Instant::now(), Pace::new(Rules::default()), Vec::new());
        let mut now = began;
        while now - began < Duration::from_secs(seconds) {
            match pace.next_step(now, now) {
                Step::SendOne | Step::SendAll => {
                    pace.sent(now);
                    sent.push(now - began);
                }
                Step::WaitUntil(until) => now = until,
                Step::RobotSilent(_) => unreachable!("the robot never complained"),
            }
        }
        sent
    }

    #[tokio::test]
    async fn no_minute_has_more_than_20_messages_and_no_wait_is_longer_than_7_seconds() {
        let sent = sends(600);
        for (place, first) in sent.iter().enumerate() {
            let within = sent[place..].iter().filter(|at| **at - *first <= Duration::from_secs(60)).count();
            assert!(within <= 20, "{within} messages in the minute from {first:?}");
        }
        assert!(sent.windows(2).all(|pair| pair[1] - pair[0] < Duration::from_secs(7)), "{sent:?}");
        assert!(sent[9].is_zero() && sent.len() > 100);
    }

    #[tokio::test]
    async fn after_a_complaint_nothing_is_sent_for_a_minute() {
        let (now, mut pace) = (Instant::now(), Pace::new(Rules::default()));
        assert_eq!(pace.next_step(now, now), Step::SendOne);
        pace.too_fast(now);
        let at = |seconds| now + Duration::from_secs(seconds);
        assert_eq!(pace.next_step(at(59), at(59)), Step::RobotSilent(Duration::from_secs(1)));
        assert_eq!(pace.next_step(at(60), at(60)), Step::SendOne);
    }
}
