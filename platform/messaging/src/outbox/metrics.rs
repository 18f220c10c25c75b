//! What is counted about the outbox, its relay and the dead letters.

use std::sync::Arc;

use process::metrics::Metrics;
use prometheus::{
    Histogram, HistogramOpts, IntCounterVec, IntGauge, Opts, Registry, Result, register_gauge_with_registry,
    register_histogram_with_registry, register_int_counter_vec_with_registry, register_int_gauge_vec_with_registry,
    register_int_gauge_with_registry,
};

use super::Outbox;
use crate::dead_letters::DeadLetters;

const ROUND_SECONDS: [f64; 12] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// What the relay counts.
#[derive(Clone)]
pub struct RelayMetrics {
    active: IntGauge,
    dispatched: IntCounterVec,
    seconds: Histogram,
}

impl RelayMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self> {
        let active = "1 where this process relays what is left over in the outbox, else 0.";
        let dispatched = "Outbox entries handed to the bus, by whether they were confirmed.";
        let dispatched = Opts::new("myevents_outbox_dispatched_total", dispatched);
        let seconds = HistogramOpts::new("myevents_outbox_dispatch_duration_seconds", "Time of one relay round.");
        let metrics = Self {
            active: register_int_gauge_with_registry!("myevents_outbox_relay_active", active, registry)?,
            dispatched: register_int_counter_vec_with_registry!(dispatched, &["result"], registry)?,
            seconds: register_histogram_with_registry!(seconds.buckets(ROUND_SECONDS.to_vec()), registry)?,
        };
        for result in ["ok", "retry"] {
            metrics.dispatched.with_label_values(&[result]);
        }
        Ok(metrics)
    }

    pub(super) fn active(&self, active: bool) {
        self.active.set(active.into());
    }

    pub(super) fn published(&self, entries: usize) {
        self.dispatched.with_label_values(&["ok"]).inc_by(entries as u64);
    }

    pub(super) fn retried(&self) {
        self.dispatched.with_label_values(&["retry"]).inc();
    }

    pub(super) fn round(&self, seconds: f64) {
        self.seconds.observe(seconds);
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
    let pending = "Messages that are committed and not yet confirmed.";
    let pending = register_int_gauge_with_registry!("myevents_outbox_pending_messages", pending, registry)?;
    let oldest = "When the oldest waiting message was written, in seconds since 1970; 0 where none waits.";
    let oldest = register_gauge_with_registry!("myevents_outbox_oldest_pending_timestamp_seconds", oldest, registry)?;
    let letters =
        Opts::new("myevents_dead_letters", "Messages that a queue gave up on and that were not redriven yet.");
    let letters = register_int_gauge_vec_with_registry!(letters, &["queue"], registry)?;
    let queues = Arc::new(queues);
    metrics.before_scrape(Arc::new(move || {
        let (outbox, dead, queues) = (outbox.clone(), dead.clone(), queues.clone());
        let (pending, oldest, letters) = (pending.clone(), oldest.clone(), letters.clone());
        Box::pin(async move {
            if let Ok(backlog) = outbox.backlog().await {
                pending.set(i64::try_from(backlog.pending).unwrap_or(i64::MAX));
                oldest.set(backlog.oldest.map_or(0.0, |at| at.as_microsecond() as f64 / 1e6));
            }
            let counts = dead.counts().await;
            for queue in queues() {
                let gauge = letters.with_label_values(&[queue]); // at 0 from the start, also while they cannot be counted
                if let Ok(counts) = &counts {
                    let count = counts.iter().find(|(name, _)| name == queue).map_or(0, |(_, count)| *count);
                    gauge.set(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
        })
    }));
    Ok(())
}
