//! Empty SQLite stores.

use std::sync::Arc;

use bookingservice::{
    metrics::BookingMetrics,
    store::sqlite::{SqliteStore, open},
};
use metrics::Registry;
use sqlite::{outbox::SqliteOutbox, writer::StoreMetrics};

use crate::suite::Fixture;

pub(crate) async fn fixture() -> Option<Fixture> {
    let folder = tempfile::tempdir().unwrap();
    let registry = Registry::new();
    let database = Arc::new(open(folder.path().into(), StoreMetrics::new(&registry).unwrap()).unwrap());
    let outbox = Arc::new(SqliteOutbox::open(database.clone(), Arc::default()).await.unwrap());
    let metrics = BookingMetrics::new(&registry).unwrap();
    let store = Arc::new(SqliteStore::open(database, outbox.clone(), metrics).await.unwrap());
    Some(Fixture { store, outbox, registry, tries: 1, _kept: Box::new(folder) })
}
