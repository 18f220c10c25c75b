//! What is counted while the clients work.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use rest::{Answer, Failure};
use serde::{Deserialize, Serialize};

use crate::{mix::Kind, recorder::now};

/// A latency above one hour is shown as one.
const LONGEST_US: u64 = 3_600_000_000;

/// Losses that are listed; of a longer list the last ones.
const LISTED: usize = 100;

/// The counts of one kind of request.
#[derive(Clone)]
pub(crate) struct KindCounts {
    /// Microseconds.
    pub(crate) latency: Histogram<u64>,
    pub(crate) statuses: BTreeMap<u16, u64>,
    pub(crate) unanswered: u64,
}

/// Connections were lost, all for one reason.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Loss {
    /// When the first request was lost.
    pub at: String,
    /// How many were.
    pub unanswered: u64,
}

/// Answers that should not have been.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub struct Unexpected {
    /// How many.
    pub count: u64,
    /// The first one.
    pub first: Option<String>,
}

/// All counts.
#[derive(Clone)]
pub(crate) struct Tally {
    kinds: Vec<KindCounts>,
    pub(crate) requests: u64,
    pub(crate) unanswered: u64,
    pub(crate) connection_errors: u64,
    pub(crate) last_connection_error: Option<String>,
    pub(crate) unexpected: Unexpected,
    pub(crate) seats_booked: u64,
    pub(crate) seats_cancelled: u64,
    pub(crate) seats_filled: u64,
    pub(crate) losses: Vec<Loss>,
    pub(crate) loss_count: u64,
    pub(crate) most_unanswered: u64,
    /// Requests were lost, and no new connection has brought an answer yet.
    losing: bool,
}

impl Default for KindCounts {
    fn default() -> Self {
        let latency = Histogram::new_with_bounds(1, LONGEST_US, 3).expect("the bounds are valid");
        Self { latency, statuses: BTreeMap::new(), unanswered: 0 }
    }
}

impl KindCounts {
    pub(crate) fn record(&mut self, latency: Duration) {
        self.latency.saturating_record(latency.as_micros().try_into().unwrap_or(LONGEST_US));
    }
}

impl Default for Tally {
    fn default() -> Self {
        Self {
            kinds: vec![KindCounts::default(); Kind::ALL.len()],
            requests: 0,
            unanswered: 0,
            connection_errors: 0,
            last_connection_error: None,
            unexpected: Unexpected::default(),
            seats_booked: 0,
            seats_cancelled: 0,
            seats_filled: 0,
            losses: Vec::new(),
            loss_count: 0,
            most_unanswered: 0,
            losing: false,
        }
    }
}

impl Tally {
    /// An empty one that remembers what the filling sold.
    pub(crate) fn after(filling: &Self) -> Self {
        Self { seats_filled: filling.seats_booked, ..Self::default() }
    }

    pub(crate) fn of(&self, kind: Kind) -> &KindCounts {
        &self.kinds[kind as usize]
    }

    /// What became of a request; `connected` says whether a connection was made for it.
    pub(crate) fn exchanged(
        &mut self,
        kind: Kind,
        latency: Duration,
        connected: bool,
        exchanged: &Result<Answer, Failure>,
    ) {
        match exchanged {
            Ok(answer) => {
                self.losing &= !connected;
                self.answered(kind, answer.status.as_u16(), latency);
            }
            Err(Failure::Unanswered) => self.unanswered(kind),
            Err(Failure::Away(cause)) => {
                self.connection_errors += 1;
                self.last_connection_error = Some(cause.to_string());
            }
        }
    }

    fn answered(&mut self, kind: Kind, status: u16, latency: Duration) {
        self.requests += 1;
        let of = &mut self.kinds[kind as usize];
        of.record(latency);
        *of.statuses.entry(status).or_default() += 1;
    }

    /// A request was sent and nothing came back. Those without a new connection in between are one loss.
    fn unanswered(&mut self, kind: Kind) {
        self.requests += 1;
        self.unanswered += 1;
        self.kinds[kind as usize].unanswered += 1;
        if !self.losing {
            self.losing = true;
            self.loss_count += 1;
            self.losses.push(Loss { at: now(), unanswered: 0 });
            if self.losses.len() > LISTED {
                self.losses.remove(0);
            }
        }
        if let Some(loss) = self.losses.last_mut() {
            loss.unanswered += 1;
            self.most_unanswered = self.most_unanswered.max(loss.unanswered);
        }
    }

    /// An answer that should not have been; the first is kept.
    pub(crate) fn unexpected(&mut self, what: impl FnOnce() -> String) {
        self.unexpected.count += 1;
        self.unexpected.first.get_or_insert_with(what);
    }

    pub(crate) fn booked(&mut self, seats: u64) {
        self.seats_booked += seats;
    }

    pub(crate) fn cancelled(&mut self, seats: u64) {
        self.seats_cancelled += seats;
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use super::*;

    #[test]
    fn requests_that_are_lost_together_are_one_loss() {
        let mut tally = Tally::default();
        for lost in [17, 3] {
            for _ in 0..lost {
                tally.exchanged(Kind::Book, Duration::ZERO, false, &Err(Failure::Unanswered));
            }
            let away = Failure::Away(io::ErrorKind::ConnectionRefused.into());
            tally.exchanged(Kind::Book, Duration::ZERO, true, &Err(away));
            let answer = Answer { status: hyper::StatusCode::OK, body: Default::default() };
            tally.exchanged(Kind::Book, Duration::ZERO, true, &Ok(answer));
        }
        assert_eq!(tally.losses.iter().map(|loss| loss.unanswered).collect::<Vec<_>>(), [17, 3]);
        assert_eq!((tally.most_unanswered, tally.unanswered, tally.connection_errors), (17, 20, 2));
    }
}
