//! What the writer counts: commits and the requests that wait for them.

use prometheus::{
    Histogram, HistogramOpts, IntGauge, Registry, Result, register_histogram_with_registry,
    register_int_gauge_with_registry,
};

const SECONDS: [f64; 12] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.5, 2.5];
const ROWS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 64.0, 256.0, 1024.0, 4096.0];

/// What the writer counts.
#[derive(Clone)]
pub struct StoreMetrics {
    seconds: Histogram,
    rows: Histogram,
    waiting: IntGauge,
}

impl StoreMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self> {
        let seconds = "myevents_store_commit_duration_seconds";
        let seconds = HistogramOpts::new(seconds, "Time of one commit with all requests in it, fsync included.");
        let rows = HistogramOpts::new("myevents_store_commit_rows", "Rows inserted, changed or deleted by one commit.");
        let waiting = "Requests that wait for the next commit.";
        Ok(Self {
            seconds: register_histogram_with_registry!(seconds.buckets(SECONDS.to_vec()), registry)?,
            rows: register_histogram_with_registry!(rows.buckets(ROWS.to_vec()), registry)?,
            waiting: register_int_gauge_with_registry!("myevents_store_write_queue", waiting, registry)?,
        })
    }

    pub(super) fn committed(&self, seconds: f64, rows: u64) {
        self.seconds.observe(seconds);
        self.rows.observe(rows as f64);
    }

    pub(super) fn waiting(&self, requests: usize) {
        self.waiting.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }
}
