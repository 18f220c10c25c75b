//! What is counted while the clients work.

use std::{collections::BTreeMap, time::Duration};

use hdrhistogram::Histogram;
use rest::{Answer, Failure};
use tokio::time::Instant;

use crate::{
    inventory::{Event, Inventory},
    mix::Kind,
    options::Plan,
    pace::Pace,
    record::now,
    report::{EventReport, KindReport, Loss, Report},
    seen::Seen,
};

/// A latency above one hour is shown as one.
const LONGEST_US: u64 = 3_600_000_000;

/// Losses that are listed; of a longer list the last ones.
const LISTED: usize = 100;

/// The counts of one kind of request.
#[derive(Clone)]
struct KindCounts {
    /// Microseconds.
    latency: Histogram<u64>,
    statuses: BTreeMap<u16, u64>,
    unanswered: u64,
}

/// All counts.
#[derive(Clone, Default)]
pub(crate) struct Tally {
    kinds: [KindCounts; Kind::ALL.len()],
    /// What is counted over all kinds; the rest of it is known at the end.
    pub(crate) totals: Report,
    /// Requests that sold the first seats.
    filling: u64,
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
    fn record(&mut self, latency: Duration) {
        self.latency.saturating_record(latency.as_micros().try_into().unwrap_or(LONGEST_US));
    }

    fn report(&self, name: &str) -> KindReport {
        let ms = |quantile| self.latency.value_at_quantile(quantile) as f64 / 1000.0;
        KindReport {
            kind: name.into(),
            requests: self.latency.len() + self.unanswered,
            p50_ms: ms(0.5),
            p90_ms: ms(0.9),
            p99_ms: ms(0.99),
            p99_9_ms: ms(0.999),
            max_ms: self.latency.max() as f64 / 1000.0,
            statuses: self.statuses.clone(),
            unanswered: self.unanswered,
        }
    }
}

impl Tally {
    /// An empty one that remembers what the filling sold.
    pub(crate) fn after(filling: &Self) -> Self {
        let totals = Report { seats_filled: filling.totals.seats_booked, ..Report::default() };
        Self { totals, filling: filling.totals.requests, ..Self::default() }
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
                self.totals.requests += 1;
                let of = &mut self.kinds[kind as usize];
                of.record(latency);
                *of.statuses.entry(answer.status.as_u16()).or_default() += 1;
            }
            Err(Failure::Unanswered) => self.unanswered(kind),
            Err(Failure::Away(cause)) => {
                self.totals.connection_errors += 1;
                self.totals.last_connection_error = Some(cause.to_string());
            }
        }
    }

    /// A request was sent and nothing came back. Those without a new connection in between are one loss.
    fn unanswered(&mut self, kind: Kind) {
        self.kinds[kind as usize].unanswered += 1;
        let totals = &mut self.totals;
        totals.requests += 1;
        totals.unanswered += 1;
        if !self.losing {
            self.losing = true;
            totals.losses += 1;
            totals.last_losses.push(Loss { at: now(), unanswered: 0 });
            if totals.last_losses.len() > LISTED {
                totals.last_losses.remove(0);
            }
        }
        if let Some(loss) = totals.last_losses.last_mut() {
            loss.unanswered += 1;
            totals.most_unanswered_at_a_loss = totals.most_unanswered_at_a_loss.max(loss.unanswered);
        }
    }

    /// An answer that should not have been; the first is kept.
    pub(crate) fn unexpected(&mut self, what: impl FnOnce() -> String) {
        let unexpected = &mut self.totals.unexpected;
        unexpected.count += 1;
        unexpected.first.get_or_insert_with(what);
    }

    /// How it goes. What was sold before the measuring began is in it: that was requests, too.
    pub(crate) fn seen(&self) -> Seen {
        let mut latency = KindCounts::default().latency;
        self.kinds.iter().for_each(|kind| latency += &kind.latency);
        let seconds = |quantile| (!latency.is_empty()).then(|| latency.value_at_quantile(quantile) as f64 / 1e6);
        let Report { requests, unanswered, ref unexpected, .. } = self.totals;
        let (p50, p99) = (seconds(0.5), seconds(0.99));
        Seen { requests: requests + self.filling, unanswered, unexpected: unexpected.count, p50, p99 }
    }

    /// What it comes to; `ended` is when the last request was due.
    pub(crate) fn report(&self, plan: &Plan, pace: &Pace, ended: Instant, inventory: &Inventory) -> Report {
        let elapsed = pace.elapsed();
        let mut kinds: Vec<_> = Kind::ALL.map(|(kind, name)| self.kinds[kind as usize].report(name)).into();
        let mut not_sent = KindCounts::default();
        pace.not_sent(ended).for_each(|waited| not_sent.record(waited));
        kinds.push(not_sent.report("not sent"));
        let mut statuses = BTreeMap::new();
        for (status, count) in kinds.iter().flat_map(|kind| &kind.statuses) {
            *statuses.entry(*status).or_default() += count;
        }
        let event = |event: &Event| {
            let Event { id, capacity, sold, .. } = *event;
            EventReport { id, name: event.name.clone(), capacity, sold }
        };
        Report {
            seconds: elapsed.as_secs_f64(),
            r#loop: if plan.rate.is_some() { "open" } else { "closed" }.into(),
            connections: plan.connections,
            rate: plan.rate,
            not_sent: not_sent.latency.len(),
            requests_per_second: self.totals.requests as f64 / elapsed.as_secs_f64().max(1e-9),
            kinds: kinds.into_iter().filter(|kind| kind.requests > 0).collect(),
            statuses,
            events: inventory.events.iter().map(event).collect(),
            ..self.totals.clone()
        }
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
            let (status, headers) = (hyper::StatusCode::OK, Default::default());
            let answer = Answer { status, headers, body: Default::default() };
            tally.exchanged(Kind::Book, Duration::ZERO, true, &Ok(answer));
        }
        let report = tally.totals;
        assert_eq!(report.last_losses.iter().map(|loss| loss.unanswered).collect::<Vec<_>>(), [17, 3]);
        assert_eq!((report.most_unanswered_at_a_loss, report.unanswered, report.connection_errors), (17, 20, 2));
    }
}
