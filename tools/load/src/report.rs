//! What a run came to: the fields of `--json`. [`crate::table`] shows the same to people.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

/// All of it.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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

/// An event at the end of the run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct EventReport {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Absent where it is unlimited.
    pub capacity: Option<u64>,
    /// Seats of confirmed bookings, according to the answers.
    pub sold: u64,
}

impl Report {
    /// A kind by its name, if it was made.
    pub fn kind(&self, name: &str) -> Option<&KindReport> {
        self.kinds.iter().find(|kind| kind.kind == name)
    }
}
