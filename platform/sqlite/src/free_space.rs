//! The gauge of the space that is left on the volume of the database file.

use std::sync::Arc;

use metrics::{Registry, Result};

use crate::database::Database;

/// Shows how much space is left on the volume of the file. No value if it is unknown: a 0 would fire the alert about a full disk.
pub fn show_free_space(registry: &Registry, database: Arc<Database>) -> Result<()> {
    registry.gauge_of("myevents_data_free_bytes", "Space left where the data is, in bytes.", move || {
        let volume = rustix::fs::statvfs(database.path()).ok()?;
        Some(volume.f_bavail as f64 * volume.f_frsize as f64)
    })
}
