//! What is counted about the database file.

use std::sync::Arc;

use process::metrics::Metrics;
use prometheus::{
    Gauge, Histogram, HistogramOpts, IntGauge, Registry, Result,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use super::database::Database;

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
        let metrics = Self {
            seconds: Histogram::with_opts(seconds.buckets(SECONDS.to_vec()))?,
            rows: Histogram::with_opts(rows.buckets(ROWS.to_vec()))?,
            waiting: IntGauge::new("myevents_store_write_queue", "Requests that wait for the next commit.")?,
        };
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.rows.clone()))?;
        registry.register(Box::new(metrics.waiting.clone()))?;
        Ok(metrics)
    }

    pub(super) fn committed(&self, seconds: f64, rows: u64) {
        self.seconds.observe(seconds);
        self.rows.observe(rows as f64);
    }

    pub(super) fn waiting(&self, requests: usize) {
        self.waiting.set(i64::try_from(requests).unwrap_or(i64::MAX));
    }
}

/// Shows how much space is left where the file is.
pub fn show_free_space(metrics: &mut Metrics, database: Arc<Database>) -> Result<()> {
    let gauge = Gauge::new("myevents_data_free_bytes", "Space left where the data is, in bytes.")?;
    metrics.registry.register(Box::new(FreeSpace { gauge, database }))
}

/// Asks when it is scraped.
struct FreeSpace {
    gauge: Gauge,
    database: Arc<Database>,
}

impl Collector for FreeSpace {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    /// Nothing where it cannot be known: a 0 would be the alert of a full disk.
    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(volume) = rustix::fs::statvfs(self.database.path()) else { return Vec::new() };
        self.gauge.set(volume.f_bavail as f64 * volume.f_frsize as f64);
        self.gauge.collect()
    }
}
