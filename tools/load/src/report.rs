//! What a run came to: the fields of `--json`. [`crate::table`] shows the same to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use tokio::time::Instant;

use crate::{
    inventory::{Event, Inventory},
    mix::Kind,
    options::Plan,
    pace::Pace,
    tally::{KindCounts, Tally},
};

pub use crate::tally::{Loss, Unexpected};

/// All of it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Report {
    /// How long it was measured, in seconds.
    pub seconds: f64,
    /// `closed` or `open`.
    pub r#loop: String,
    /// Clients at once.
    pub connections: u32,
    /// Requests a second that were wanted, in an open loop.
    pub rate: Option<f64>,
    /// In an open loop: requests that were due and that no client was free to send. How long they have waited is in
    /// `kinds`, as the kind `not sent`: else a system would look the better the less it answers.
    pub not_sent: u64,
    /// All requests that were sent.
    pub requests: u64,
    /// A second.
    pub requests_per_second: f64,
    /// Each kind of request that was made.
    pub kinds: Vec<KindReport>,
    /// How often each status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// Answers that should not have been.
    pub unexpected: Unexpected,
    /// Requests that were sent and had no answer.
    pub unanswered: u64,
    /// How often connections were lost under requests.
    pub losses: u64,
    /// How many requests were unanswered at the worst of them.
    pub most_unanswered_at_a_loss: u64,
    /// The last 100 of them.
    pub last_losses: Vec<Loss>,
    /// Why the record is incomplete, if it is; then the exit code is not 0.
    pub record_trouble: Option<String>,
    /// Connections that could not be made.
    pub connection_errors: u64,
    /// Why the last one could not.
    pub last_connection_error: Option<String>,
    /// Seats booked.
    pub seats_booked: u64,
    /// Seats given back.
    pub seats_cancelled: u64,
    /// Seats booked before the measuring began.
    pub seats_filled: u64,
    /// The events at the end.
    pub events: Vec<EventReport>,
}

/// One kind of request. Latencies are milliseconds; in an open loop they count from when the request was due.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[expect(missing_docs, reason = "the percentiles are what their names say")]
pub struct KindReport {
    /// Its name.
    pub kind: String,
    /// How many were sent.
    pub requests: u64,
    pub p50_ms: f64,
    pub p90_ms: f64,
    pub p99_ms: f64,
    pub p99_9_ms: f64,
    pub max_ms: f64,
    /// How often each status was answered.
    pub statuses: BTreeMap<u16, u64>,
    /// How many had no answer.
    pub unanswered: u64,
}

/// An event at the end of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventReport {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Absent where it is unlimited.
    pub capacity: Option<u64>,
    /// Seats of confirmed bookings, according to the answers.
    pub sold: u64,
}

impl Report {
    /// `ended` is when the last request was due.
    pub(crate) fn new(plan: &Plan, pace: &Pace, ended: Instant, inventory: &Inventory, tally: &Tally) -> Self {
        let elapsed = pace.elapsed();
        let mut kinds: Vec<_> = Kind::ALL.into_iter().map(|kind| of_kind(kind.name(), tally.of(kind))).collect();
        let mut not_sent = KindCounts::default();
        pace.not_sent(ended).for_each(|waited| not_sent.record(waited));
        kinds.push(of_kind("not sent", &not_sent));
        let mut statuses = BTreeMap::new();
        for (status, count) in kinds.iter().flat_map(|kind| &kind.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        let event = |event: &Event| {
            let (id, name) = (event.id.to_string(), event.name.clone());
            EventReport { id, name, capacity: event.capacity, sold: event.sold }
        };
        Self {
            seconds: elapsed.as_secs_f64(),
            r#loop: if plan.rate.is_some() { "open" } else { "closed" }.into(),
            connections: plan.connections,
            rate: plan.rate,
            not_sent: not_sent.latency.len(),
            requests: tally.requests,
            requests_per_second: tally.requests as f64 / elapsed.as_secs_f64().max(1e-9),
            kinds: kinds.into_iter().filter(|kind| kind.requests > 0).collect(),
            statuses,
            unexpected: tally.unexpected.clone(),
            unanswered: tally.unanswered,
            losses: tally.loss_count,
            most_unanswered_at_a_loss: tally.most_unanswered,
            last_losses: tally.losses.clone(),
            record_trouble: None,
            connection_errors: tally.connection_errors,
            last_connection_error: tally.last_connection_error.clone(),
            seats_booked: tally.seats_booked,
            seats_cancelled: tally.seats_cancelled,
            seats_filled: tally.seats_filled,
            events: inventory.events.iter().map(event).collect(),
        }
    }

    /// A kind by its name, if it was made.
    pub fn kind(&self, name: &str) -> Option<&KindReport> {
        self.kinds.iter().find(|kind| kind.kind == name)
    }
}

fn of_kind(name: &str, of: &KindCounts) -> KindReport {
    let ms = |quantile| of.latency.value_at_quantile(quantile) as f64 / 1000.0;
    KindReport {
        kind: name.into(),
        requests: of.latency.len() + of.unanswered,
        p50_ms: ms(0.5),
        p90_ms: ms(0.9),
        p99_ms: ms(0.99),
        p99_9_ms: ms(0.999),
        max_ms: of.latency.max() as f64 / 1000.0,
        statuses: of.statuses.clone(),
        unanswered: of.unanswered,
    }
}
