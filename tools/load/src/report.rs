//! What a run came to: the fields of `--json`, and the same as a table for people.

use std::{collections::BTreeMap, fmt};

use comfy_table::{CellAlignment, ContentArrangement, Table, presets::NOTHING};
use indicatif::HumanCount;
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

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (count, rate) = (HumanCount(self.requests), HumanCount(self.requests_per_second as u64));
        writeln!(f, "\n{count} requests in {:.1} s, {rate} a second, {}\n", self.seconds, self.mode())?;
        let mut table = Table::new();
        table.load_preset(NOTHING).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["", "requests", "p50", "p90", "p99", "p99.9", "max", "answers"]);
        for kind in &self.kinds {
            table.add_row(row(kind));
        }
        for column in table.column_iter_mut().skip(1).take(6) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        if self.kinds.is_empty() {
            writeln!(f, "It was stopped before the first request of the mix.")?;
        } else {
            writeln!(f, "{}", table.trim_fmt())?;
        }
        writeln!(
            f,
            "\nLatencies are milliseconds{}.",
            if self.rate.is_some() { ", from when each was due" } else { "" }
        )?;
        writeln!(f, "{}", self.seats())?;
        self.troubles(f)
    }
}

impl Report {
    /// A kind by its name, if it was made.
    pub fn kind(&self, name: &str) -> Option<&KindReport> {
        self.kinds.iter().find(|kind| kind.kind == name)
    }

    fn mode(&self) -> String {
        match self.rate {
            Some(rate) => format!("open loop at {rate} a second over {} connections", self.connections),
            None => format!("closed loop of {} connections", self.connections),
        }
    }

    fn seats(&self) -> String {
        let (booked, cancelled) = (HumanCount(self.seats_booked), HumanCount(self.seats_cancelled));
        let (events, filled) = (self.events.len(), HumanCount(self.seats_filled));
        let mut text = format!("Seats: {booked} booked, {cancelled} given back, {filled} booked before it began.");
        let sold = |event: &EventReport| event.capacity.map(|all| event.sold as f64 / all as f64 * 100.0);
        let sold: Vec<f64> = self.events.iter().filter_map(sold).collect();
        if let (Some(least), Some(most)) =
            (sold.iter().copied().reduce(f64::min), sold.iter().copied().reduce(f64::max))
        {
            text += &format!(" {events} events are {least:.0} % to {most:.0} % sold.");
        }
        text
    }

    fn troubles(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.not_sent > 0 {
            let count = HumanCount(self.not_sent);
            writeln!(
                f,
                "{count} requests were due and not sent, since every connection waited for an answer: the system is at its \
                 limit, or --connections is too small."
            )?;
        }
        if self.unanswered > 0 {
            let (count, losses, most) = (HumanCount(self.unanswered), self.losses, self.most_unanswered_at_a_loss);
            writeln!(
                f,
                "{count} requests had no answer: connections were lost {losses} times, at most {most} at once."
            )?;
        }
        if let Some(cause) = &self.record_trouble {
            writeln!(f, "The record is incomplete: {cause}. `verify --against` would tell nonsense by it.")?;
        }
        if let Some(cause) = &self.last_connection_error {
            writeln!(f, "{} times no connection could be made ({cause}).", HumanCount(self.connection_errors))?;
        }
        if let Some(first) = &self.unexpected.first {
            writeln!(f, "{} answers should not have been; the first: {first}", HumanCount(self.unexpected.count))?;
        }
        Ok(())
    }
}

fn row(kind: &KindReport) -> Vec<String> {
    let ms = |value: f64| format!("{value:.2}");
    let times = [kind.p50_ms, kind.p90_ms, kind.p99_ms, kind.p99_9_ms, kind.max_ms].map(ms);
    let mut row = vec![kind.kind.clone(), HumanCount(kind.requests).to_string()];
    row.extend(times);
    row.push(answers(&kind.statuses, kind.unanswered));
    row
}

fn answers(statuses: &BTreeMap<u16, u64>, unanswered: u64) -> String {
    let mut parts: Vec<_> =
        statuses.iter().map(|(status, count)| format!("{status}: {}", HumanCount(*count))).collect();
    if unanswered > 0 {
        parts.push(format!("none: {}", HumanCount(unanswered)));
    }
    parts.join("  ")
}
