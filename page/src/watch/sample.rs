//! What the page knows of a moment: made of what all processes have answered then, and of the samples before.

use std::time::Duration;

use serde::Serialize;

use super::{
    ledger::Ledger,
    reading::{Count, Reading},
    windows::{Grown, Windows},
};

/// A sample, in the form in which browsers get it; `ring.rs` adds whether it follows a gap.
#[derive(Serialize)]
pub(super) struct Sample {
    id: u64,
    /// In milliseconds since 1970.
    at: u64,
    services: Services,
    way: Way,
    bookings_per_minute: Option<f64>,
    totals: Totals,
}

#[derive(Serialize)]
struct Services {
    events: Service,
    bookings: Service,
}

/// One service.
#[derive(Serialize)]
struct Service {
    /// Addresses that are known.
    replicas: usize,
    answering: usize,
    /// Where a process has started anew since the sample before.
    restarts: Vec<String>,
    requests: Option<u64>,
    per_second: Option<f64>,
    error_share: Option<f64>,
    p50: Option<f64>,
    p95: Option<f64>,
    p99: Option<f64>,
    memory: Option<u64>,
    threads: Option<u64>,
    /// Whether both services are one process: then memory and threads are those of both.
    shared: bool,
    processes: Vec<Process>,
}

#[derive(Serialize)]
struct Process {
    address: String,
    /// Its start, in seconds since 1970.
    since: f64,
    memory: u64,
    threads: u64,
}

/// The way of bookings and cancellations: a second, and what waits.
#[derive(Serialize)]
struct Way {
    accepted: Option<f64>,
    stored: Option<f64>,
    published: Option<f64>,
    applied: Option<f64>,
    outbox: Option<u64>,
    oldest: Option<f64>,
    on_the_way: Option<u64>,
    dead: Option<u64>,
}

/// What the processes that answer have counted since they started.
#[derive(Serialize)]
struct Totals {
    bookings: Option<u64>,
    booked_seats: Option<u64>,
    cancelled: Option<u64>,
    rejected: Option<u64>,
    published: Option<u64>,
    applied: Option<u64>,
}

/// What the processes of one service have answered.
pub(super) struct Answers {
    /// All addresses there are.
    pub(super) known: Vec<String>,
    /// Those that have answered.
    pub(super) readings: Vec<(String, Reading)>,
}

impl Answers {
    /// What is of each process, added up; `None` where nobody answers.
    fn sum(&self, of: impl Fn(&Reading) -> f64) -> Option<f64> {
        self.readings.iter().map(|(_, reading)| of(reading)).reduce(|sum, one| sum + one)
    }

    fn total(&self, what: Count) -> Option<u64> {
        self.sum(|reading| reading.counts.get(what)).map(whole)
    }

    /// What is of the store: all replicas say the same, as soon as each has read it again.
    fn stored(&self, of: impl Fn(&Reading) -> Option<f64>) -> Option<f64> {
        self.readings.iter().filter_map(|(_, reading)| of(reading)).reduce(f64::max)
    }
}

/// What is remembered of one service.
#[derive(Default)]
struct Memory {
    ledger: Ledger,
    windows: Windows,
    /// Whether anybody answered now. Else nobody knows what was done.
    answers: bool,
}

/// Makes samples.
#[derive(Default)]
pub(super) struct Sampled {
    events: Memory,
    bookings: Memory,
}

/// When a sample is made, and which one it is.
pub(super) struct Moment {
    pub(super) id: u64,
    /// On a clock that nobody sets.
    pub(super) at: Duration,
    /// Since 1970.
    pub(super) time: Duration,
    /// Whether the sample before is not its neighbour.
    pub(super) gap: bool,
}

impl Sampled {
    /// The sample of what was answered now.
    pub(super) fn sample(&mut self, now: &Moment, events: Answers, bookings: Answers) -> Sample {
        let (of_events, of_bookings) = (self.events.add(now, &events), self.bookings.add(now, &bookings));
        let (events_10, bookings_10) = (self.events.last(10), self.bookings.last(10));
        let rate = |grown: &Option<Grown>, what: &[Count]| {
            let grown = grown.as_ref()?;
            Some(digits(what.iter().map(|one| grown.rate(*one)).sum()))
        };
        let (outbox, oldest) = (bookings.stored(|one| one.outbox), bookings.stored(|one| one.oldest));
        let changes = bookings.stored(|one| one.seat_changes).zip(events.stored(|one| one.view_seat_changes));
        let dead = events.stored(|one| one.dead).zip(bookings.stored(|one| one.dead));
        let way = Way {
            accepted: rate(&bookings_10, &[Count::Accepted]),
            stored: rate(&bookings_10, &[Count::Bookings, Count::Cancelled]),
            published: rate(&bookings_10, &[Count::Published]),
            applied: rate(&events_10, &[Count::Applied]),
            outbox: outbox.map(whole),
            oldest: oldest.map(|at| if at > 0.0 { digits((now.time.as_secs_f64() - at).max(0.0)) } else { 0.0 }),
            on_the_way: changes.zip(outbox).map(|((stored, shown), outbox)| whole(stored - shown - outbox)),
            dead: dead.map(|(events, bookings)| whole(events + bookings)),
        };
        let totals = Totals {
            bookings: bookings.total(Count::Bookings),
            booked_seats: bookings.total(Count::BookedSeats),
            cancelled: bookings.total(Count::Cancelled),
            rejected: bookings.total(Count::Rejected),
            published: bookings.total(Count::Published),
            applied: events.total(Count::Applied),
        };
        let minute = self.bookings.last(60);
        let services = Services {
            events: self.events.service(events, of_events),
            bookings: self.bookings.service(bookings, of_bookings),
        };
        let at = u64::try_from(now.time.as_millis()).unwrap_or_default();
        let bookings_per_minute = minute.map(|grown| digits(grown.rate(Count::Bookings) * 60.0));
        Sample { id: now.id, at, services, way, bookings_per_minute, totals }
    }
}

impl Memory {
    /// Takes what was answered now; returns where a process has started anew.
    fn add(&mut self, now: &Moment, answers: &Answers) -> Vec<String> {
        let restarts = self.ledger.add(now.time.as_secs_f64(), &answers.known, &answers.readings);
        self.windows.add(now.at, self.ledger.sums().clone(), now.gap);
        self.answers = !answers.readings.is_empty();
        restarts
    }

    /// What was counted in the last seconds.
    fn last(&self, seconds: u64) -> Option<Grown> {
        self.windows.last(seconds).filter(|_| self.answers)
    }

    fn service(&self, answers: Answers, restarts: Vec<String>) -> Service {
        let (of_10, of_30) = (self.last(10), self.last(30));
        let seconds = |q| of_30.as_ref().and_then(|grown| grown.seconds(q)).map(digits);
        Service {
            replicas: answers.known.len(),
            answering: answers.readings.len(),
            restarts,
            requests: answers.total(Count::Requests),
            per_second: of_10.map(|grown| digits(grown.rate(Count::Requests))),
            error_share: of_30.as_ref().and_then(|grown| grown.share(Count::Errors, Count::Requests)).map(digits),
            p50: seconds(0.5),
            p95: seconds(0.95),
            p99: seconds(0.99),
            memory: answers.sum(|one| one.memory).map(whole),
            threads: answers.sum(|one| one.threads).map(whole),
            shared: answers.readings.iter().any(|(_, one)| one.services > 1.0),
            processes: answers.readings.into_iter().map(process).collect(),
        }
    }
}

fn process((address, one): (String, Reading)) -> Process {
    Process { address, since: one.started, memory: whole(one.memory), threads: whole(one.threads) }
}

/// A number of things; what is below 0 is none.
fn whole(number: f64) -> u64 {
    number.max(0.0) as u64
}

/// Five digits are more than anybody reads, and shorter.
fn digits(number: f64) -> f64 {
    format!("{number:.4e}").parse().expect("it was a number")
}

#[cfg(test)]
mod tests;
