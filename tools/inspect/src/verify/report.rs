//! What `verify` prints: what was checked and how much of it, and what is wrong. Also as JSON.

use std::fmt;

use rest::Target;
use serde::Serialize;

use super::{
    against::Checked,
    facts::{Facts, Unchecked},
    findings::Findings,
    options::{Plan, Source},
};

/// What only the files of a stopped system show.
const RUNNING: [&str; 2] = [
    "the database files, the bookings' seq and the versions of the view one by one (see --data-dir)",
    "events that the event service does not have, beyond the 1,000 that the booking service's metrics name",
];

/// How it is.
#[derive(Serialize)]
pub(super) struct Report {
    /// Whether it could be checked; see [`unchecked`].
    checked: bool,
    /// Whether nothing was found.
    pub(super) ok: bool,
    /// Which system.
    system: String,
    #[serde(flatten)]
    counts: Counts,
    /// What was held against the record.
    record: Option<Checked>,
    /// What this kind of reading cannot see.
    not_seen: Vec<String>,
    #[serde(flatten)]
    findings: Findings,
}

/// How much was read.
#[derive(Default, Serialize)]
struct Counts {
    events: u64,
    bookings: u64,
    cancelled: u64,
    /// Of confirmed bookings; no more than the number can say.
    seats: u64,
    pending: u64,
}

impl Report {
    pub(super) fn new(plan: &Plan, facts: &Facts, record: Option<Checked>, findings: Findings) -> Self {
        let (bookings, cancelled, seats) = facts.tally.totals();
        let (events, pending) = (facts.sold.len().max(facts.shown.len()) as u64, facts.pending.len() as u64);
        let (system, mut not_seen) = match &plan.source {
            Source::Running(urls, _) => (
                format!("running at {} and {}", listed(&urls.events), listed(&urls.bookings)),
                RUNNING.map(str::to_owned).to_vec(),
            ),
            Source::Stopped(folder) => {
                // Services that run apart have a folder each.
                let line = |file| format!("{file}, and whether the services agree: it was never in this folder");
                (format!("stopped, in {}", folder.display()), facts.elsewhere.map(line).into_iter().collect())
            }
        };
        if !plan.unused.is_empty() {
            not_seen.push(format!("what runs at {}: --data-dir reads files alone", plan.unused.join(", ")));
        }
        let seats = seats.try_into().unwrap_or(u64::MAX);
        let counts = Counts { events, bookings, cancelled, seats, pending };
        let ok = findings.total() == 0;
        Self { checked: true, ok, system, counts, record, not_seen, findings }
    }

    /// Where damage kept the rest from being read.
    pub(super) fn unreadable(plan: &Plan, findings: Findings) -> Self {
        let empty = Self::new(plan, &Facts::default(), None, findings);
        Self { not_seen: vec!["everything else, as a file cannot be read".into()], ..empty }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in &self.findings.list {
            writeln!(f, "  - {}", finding.text)?;
        }
        let unlisted = self.findings.unlisted();
        if unlisted > 0 {
            writeln!(f, "  - and {unlisted} more of these")?;
        }
        let Counts { events, bookings, cancelled, seats, pending } = &self.counts;
        writeln!(f, "system    {}", self.system)?;
        writeln!(f, "read      {events} events, {bookings} bookings ({cancelled} of them cancelled), {seats} seats")?;
        if *pending > 0 {
            writeln!(f, "waiting   {pending} messages in the outboxes")?;
        }
        if let Some(record) = &self.record {
            record.fmt(f)?;
        }
        for what in &self.not_seen {
            writeln!(f, "not seen  {what}")?;
        }
        match self.findings.total() {
            0 => writeln!(f, "All is well."),
            1 => writeln!(f, "1 thing is wrong."),
            wrong => writeln!(f, "{wrong} things are wrong."),
        }
    }
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { acknowledged, cancelled, unknown, unknown_there, .. } = self;
        writeln!(
            f,
            "record    {acknowledged} acknowledged bookings, {cancelled} acknowledged cancellations, {unknown} \
             bookings without an answer ({unknown_there} of them are there)"
        )?;
        if self.cancelled_by_others > 0 {
            let count = self.cancelled_by_others;
            writeln!(f, "          {count} bookings were cancelled by somebody else (wrong with --exclusive)")?;
        }
        if !self.complete {
            let count = self.not_in_record;
            writeln!(
                f,
                "          a run has no end in it: it goes on, it was killed, or the file was cut off; {count} bookings of \
                 its users are in no line"
            )?;
        }
        if self.cut_off > 0 {
            writeln!(f, "          {} lines are cut off, and were passed over", self.cut_off)?;
        }
        Ok(())
    }
}

/// The replicas of a service.
fn listed(targets: &[Target]) -> String {
    targets.iter().map(|target| target.url.as_str()).collect::<Vec<_>>().join(", ")
}

/// The JSON for what could not be checked.
pub(super) fn unchecked(cause: &Unchecked) -> String {
    json(&serde_json::json!({ "checked": false, "why": cause.to_string() }))
}

/// Any JSON, as it is printed.
pub(super) fn json(value: &impl Serialize) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_else(|cause| format!("{{\"error\": \"{cause}\"}}"));
    text + "\n"
}
