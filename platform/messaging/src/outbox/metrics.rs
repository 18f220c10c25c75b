//! What is counted about the outbox, its relay and the dead letters.

use std::sync::Arc;

use process::metrics::Metrics;
use prometheus::{Gauge, Histogram, HistogramOpts, IntCounterVec, IntGauge, IntGaugeVec, Opts, Registry, Result};

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
            active: IntGauge::new("myevents_outbox_relay_active", active)?,
            dispatched: IntCounterVec::new(dispatched, &["result"])?,
            seconds: Histogram::with_opts(seconds.buckets(ROUND_SECONDS.to_vec()))?,
        };
        for result in ["ok", "retry"] {
            metrics.dispatched.with_label_values(&[result]);
        }
        registry.register(Box::new(metrics.active.clone()))?;
        registry.register(Box::new(metrics.dispatched.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        Ok(metrics)
    }

    pub(super) fn active(&self, active: bool) {
        self.active.set(active.into());
    }

    pub(super) fn sent(&self, entries: usize) {
        self.dispatched.with_label_values(&["ok"]).inc_by(entries as u64);
    }

    pub(super) fn retried(&self) {
        self.dispatched.with_label_values(&["retry"]).inc();
    }

    pub(super) fn round(&self, seconds: f64) {
        self.seconds.observe(seconds);
    }
}

/// Shows what waits in the outbox and in the dead letters of `queues`, read at each scrape. The oldest entry is shown by
/// its timestamp, not its age: that stays right when the relay hangs.
pub fn show_backlog(
    metrics: &mut Metrics,
    outbox: Arc<dyn Outbox>,
    dead: Arc<dyn DeadLetters>,
    queues: &[&str],
) -> Result<()> {
    let pending = "Messages that are committed and not yet confirmed.";
    let pending = IntGauge::new("myevents_outbox_pending_messages", pending)?;
    let oldest = "When the oldest waiting message was written, in seconds since 1970; 0 where none waits.";
    let oldest = Gauge::new("myevents_outbox_oldest_pending_timestamp_seconds", oldest)?;
    let letters =
        Opts::new("myevents_dead_letters", "Messages that a queue gave up on and that were not redriven yet.");
    let letters = IntGaugeVec::new(letters, &["queue"])?;
    for queue in queues {
        letters.with_label_values(&[*queue]);
    }
    metrics.registry.register(Box::new(pending.clone()))?;
    metrics.registry.register(Box::new(oldest.clone()))?;
    metrics.registry.register(Box::new(letters.clone()))?;
    let queues: Vec<String> = queues.iter().map(|queue| (*queue).to_owned()).collect();
    metrics.before_scrape(Arc::new(move || {
        let (outbox, dead, queues) = (outbox.clone(), dead.clone(), queues.clone());
        let (pending, oldest, letters) = (pending.clone(), oldest.clone(), letters.clone());
        Box::pin(async move {
            if let Ok(backlog) = outbox.backlog().await {
                pending.set(i64::try_from(backlog.pending).unwrap_or(i64::MAX));
                oldest.set(backlog.oldest.map_or(0.0, |at| at.as_microsecond() as f64 / 1e6));
            }
            if let Ok(counts) = dead.counts().await {
                for queue in &queues {
                    let count = counts.iter().find(|(name, _)| name == queue).map_or(0, |(_, count)| *count);
                    letters.with_label_values(&[queue.as_str()]).set(i64::try_from(count).unwrap_or(i64::MAX));
                }
            }
        })
    }));
    Ok(())
}
