//! What is counted about messages, on every bus, and about the outbox, its relay and the dead letters.

use std::sync::Arc;

use jiff::Timestamp;
use metrics::{Counter, CounterVec, Gauge, Histogram, HistogramVec, Registry, Result};
use process::metrics::Metrics;

use crate::{
    dead_letters::DeadLetters,
    message::{Effect, Message, Outcome, PublishError, Published},
    outbox::Outbox,
};

const SECONDS: [f64; 14] = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const AGE_SECONDS: [f64; 16] =
    [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
const ROUND_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The consuming side.
#[derive(Clone)]
pub struct ConsumeMetrics {
    queue: &'static str,
    names: &'static [&'static str],
    consumed: CounterVec,
    seconds: HistogramVec,
    age: Histogram,
    skew: Counter,
}

impl ConsumeMetrics {
    /// Registers them, with `names` (the messages this service reads) at zero.
    pub fn new(registry: &Registry, queue: &'static str, names: &'static [&'static str]) -> Result<Self> {
        let age = registry.histogram_vec(
            "myevents_message_age_seconds",
            "Time from writing a message to the outbox to its work being durable.",
            &["queue"],
            AGE_SECONDS,
        )?;
        let metrics = Self {
            queue,
            names,
            consumed: registry.counter_vec(
                "myevents_messages_consumed_total",
                "Messages consumed, by what became of them.",
                &["queue", "message", "result"],
            )?,
            seconds: registry.histogram_vec(
                "myevents_messages_process_duration_seconds",
                "Time the handler took for the batch the message came in.",
                &["queue", "message"],
                SECONDS,
            )?,
            age: age.with_label_values(&[queue]),
            skew: registry.counter(
                "myevents_clock_skew_total",
                "Messages that seem to come from the future: the clocks of two machines differ.",
            )?,
        };
        for name in names {
            for result in ["acked", "requeued", "rejected", "duplicate", "stale"] {
                metrics.consumed.with_label_values(&[queue, *name, result]);
            }
            metrics.seconds.with_label_values(&[queue, *name]);
        }
        Ok(metrics)
    }

    /// Counts what a handler answered for a message. A rejected one goes to the dead letters; a retried one is retried in place,
    /// or by the broker.
    pub fn handled(&self, message: &Message, outcome: &Outcome) {
        let result = match outcome {
            Outcome::Done(Effect::Applied) => "acked",
            Outcome::Done(Effect::Duplicate) => "duplicate",
            Outcome::Done(Effect::Stale) => "stale",
            Outcome::Retry(_) => "requeued",
            Outcome::Reject(_) => "rejected",
        };
        self.consumed.with_label_values(&[self.queue, self.known(message), result]).inc();
        if matches!(outcome, Outcome::Done(_)) && !message.redriven {
            let age = Timestamp::now().duration_since(message.occurred_at).as_secs_f64();
            if age < 0.0 {
                self.skew.inc();
            }
            self.age.observe_with_exemplar(age.max(0.0), message.trace_id());
        }
    }

    /// Records how long a handler took for a batch with this message in it.
    pub fn observe(&self, message: &Message, seconds: f64) {
        let histogram = self.seconds.with_label_values(&[self.queue, self.known(message)]);
        histogram.observe_with_exemplar(seconds, message.trace_id());
    }

    /// Any client that publishes can invent names, and each label value is a time series that stays.
    fn known(&self, message: &Message) -> &'static str {
        self.names.iter().copied().find(|name| *name == message.name).unwrap_or("_other")
    }
}

/// The publishing side: what the relay counts.
#[derive(Clone)]
pub struct RelayMetrics {
    pub(super) active: Gauge,
    published: CounterVec,
    pub(super) publish_seconds: Histogram,
    pub(super) dispatched: CounterVec,
    pub(super) round_seconds: Histogram,
}

impl RelayMetrics {
    /// Registers them, with `names` (the messages this service publishes) at zero.
    pub fn new(registry: &Registry, names: &[&str]) -> Result<Self> {
        let metrics = Self {
            active: registry.gauge(
                "myevents_outbox_relay_active",
                "1 where this process relays what is left over in the outbox, else 0.",
            )?,
            published: registry.counter_vec(
                "myevents_messages_published_total",
                "Messages published, by what became of them.",
                &["message", "result"],
            )?,
            publish_seconds: registry.histogram(
                "myevents_messages_publish_duration_seconds",
                "Time from handing a batch to the bus to its confirms.",
                SECONDS,
            )?,
            dispatched: registry.counter_vec(
                "myevents_outbox_dispatched_total",
                "Outbox entries handed to the bus, by whether they were confirmed.",
                &["result"],
            )?,
            round_seconds: registry.histogram(
                "myevents_outbox_dispatch_duration_seconds",
                "Time of one relay round.",
                ROUND_SECONDS,
            )?,
        };
        for name in names {
            for result in ["confirmed", "nacked", "returned", "timeout", "error"] {
                metrics.published.with_label_values(&[*name, result]);
            }
        }
        for result in ["ok", "retry"] {
            metrics.dispatched.with_label_values(&[result]);
        }
        Ok(metrics)
    }

    /// Counts the result of one entry. A dead letter was delivered, so it counts as confirmed.
    pub(super) fn published(&self, name: &str, result: &Published) {
        let result = match result {
            Ok(()) | Err(PublishError::Dead { .. }) => "confirmed",
            Err(PublishError::Nacked) => "nacked",
            Err(PublishError::Returned) => "returned",
            Err(PublishError::Timeout) => "timeout",
            Err(PublishError::Failed(_)) => "error",
        };
        self.published.with_label_values(&[name, result]).inc();
    }
}

/// Shows what waits in the outbox, and the dead letters of `queues`, read at each scrape. The oldest entry is shown by its
/// timestamp and not by its age, which would be wrong when the relay hangs.
pub fn show_backlog(
    metrics: &mut Metrics,
    outbox: Arc<dyn Outbox>,
    dead: Arc<dyn DeadLetters>,
    queues: impl Fn() -> Vec<&'static str> + Send + Sync + 'static,
) -> Result<()> {
    let registry = &metrics.registry;
    let pending = registry.gauge(
        "myevents_outbox_pending_messages",
        "Messages that are committed and not yet confirmed. Of the store.",
    )?;
    let oldest = registry.gauge(
        "myevents_outbox_oldest_pending_timestamp_seconds",
        "When the oldest waiting message was written, in seconds since 1970; 0 where none waits. Of the store.",
    )?;
    let letters = registry.gauge_vec(
        "myevents_dead_letters",
        "Messages that a queue gave up on and that were not redriven yet. Of the store.",
        &["queue"],
    )?;
    let queues = Arc::new(queues);
    metrics.before_scrape(Arc::new(move || {
        let (outbox, dead, queues) = (outbox.clone(), dead.clone(), queues.clone());
        let (pending, oldest, letters) = (pending.clone(), oldest.clone(), letters.clone());
        Box::pin(async move {
            if let Ok(backlog) = outbox.backlog().await {
                pending.set(backlog.pending as f64);
                oldest.set(backlog.oldest.map_or(0.0, |at| at.as_microsecond() as f64 / 1e6));
            }
            let counts = dead.counts().await;
            for queue in queues() {
                let gauge = letters.with_label_values(&[queue]); // at 0 from the start, also while they cannot be counted
                if let Ok(counts) = &counts {
                    let count = counts.iter().find(|(name, _)| name == queue).map_or(0, |(_, count)| *count);
                    gauge.set(count as f64);
                }
            }
        })
    }));
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_names_this_service_reads_become_labels() {
        let registry = Registry::new();
        let metrics = ConsumeMetrics::new(&registry, "notes", &["noteWritten"]).unwrap();
        let message = |name: &str| Message {
            id: uuid::Uuid::nil(),
            name: name.into(),
            body: "{}".into(),
            occurred_at: Timestamp::now(),
            traceparent: None,
            redriven: false,
        };
        for name in ["noteWritten", "noteBurnt", "x1", "with a space"] {
            metrics.handled(&message(name), &Outcome::Reject("a bug".into()));
            metrics.observe(&message(name), 0.1);
        }
        for family in registry.gather() {
            let Some(at) = family.description.labels.iter().position(|label| label == "message") else { continue };
            let names = family.series.iter().map(|series| series.labels[at].as_str());
            let names: std::collections::BTreeSet<_> = names.collect();
            assert_eq!(names, ["_other", "noteWritten"].into());
        }
    }
}
