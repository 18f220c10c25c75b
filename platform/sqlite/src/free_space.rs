//! The gauge of the space that is left on the volume of the database file.

use std::sync::Arc;

use process::metrics::Metrics;
use prometheus::{
    Gauge, Result,
    core::{Collector, Desc},
    proto::MetricFamily,
};

use crate::database::Database;

/// Shows how much space is left on the volume of the file.
pub fn show_free_space(metrics: &mut Metrics, database: Arc<Database>) -> Result<()> {
    let gauge = Gauge::new("myevents_data_free_bytes", "Space left where the data is, in bytes.")?;
    metrics.registry.register(Box::new(FreeSpace { gauge, database }))
}

/// Asks the kernel at each scrape.
struct FreeSpace {
    gauge: Gauge,
    database: Arc<Database>,
}

impl Collector for FreeSpace {
    fn desc(&self) -> Vec<&Desc> {
        self.gauge.desc()
    }

    /// No value if it is unknown: a 0 would fire the alert about a full disk.
    fn collect(&self) -> Vec<MetricFamily> {
        let Ok(volume) = rustix::fs::statvfs(self.database.path()) else { return Vec::new() };
        self.gauge.set(volume.f_bavail as f64 * volume.f_frsize as f64);
        self.gauge.collect()
    }
}
