//! Empty SQLite stores.

use std::sync::Arc;

use eventservice::{
    metrics::EventMetrics,
    store::sqlite::{SqliteStore, open},
};
use metrics::Registry;
use sqlite::{outbox::SqliteOutbox, writer::StoreMetrics};
use tempfile::TempDir;

use crate::suite::Fixture;

pub(crate) async fn fixture() -> Option<Fixture> {
    Some(within(tempfile::tempdir().unwrap()).await)
}

/// A store in a folder.
pub(crate) async fn within(folder: TempDir) -> Fixture {
    let registry = Registry::new();
    let database = Arc::new(open(folder.path().into(), StoreMetrics::new(&registry).unwrap()).unwrap());
    let outbox = Arc::new(SqliteOutbox::open(database.clone(), Arc::default()).await.unwrap());
    let metrics = EventMetrics::new(&registry).unwrap();
    let store = Arc::new(SqliteStore::open(database, outbox.clone(), metrics).await.unwrap());
    Fixture { store, outbox, registry, _kept: Box::new(folder) }
}
