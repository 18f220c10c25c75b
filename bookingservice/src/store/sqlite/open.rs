//! Opens `bookingservice.db`, and takes the running totals from what it holds.

use std::{path::PathBuf, sync::Arc};

use contracts::Instant;
use process::metrics::Metrics;
use rusqlite::{Connection, Row};
use service::{Backend, Resources, StartError};
use sqlite::{
    Database, StoreError,
    open::{OpenError, Spec},
    outbox::SqliteOutbox,
    writer::StoreMetrics,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::SqliteStore;
use crate::{
    metrics::BookingMetrics,
    store::{
        Store,
        schema::{APPLICATION_ID, MIGRATIONS},
    },
};

/// Opens `bookingservice.db` in the folder.
pub fn open(folder: PathBuf, metrics: StoreMetrics) -> Result<Database, OpenError> {
    Database::open(&spec(folder), metrics)
}

pub(in crate::store) fn spec(folder: PathBuf) -> Spec {
    Spec { folder, file: "bookingservice.db", application_id: APPLICATION_ID, migrations: MIGRATIONS }
}

/// The store with what belongs to it.
pub async fn backend(
    folder: PathBuf,
    registry: &mut Metrics,
    metrics: BookingMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    let database = Arc::new(open(folder, StoreMetrics::new(&registry.registry)?)?);
    let outbox = Arc::new(SqliteOutbox::open(database.clone(), wake).await?);
    let store = Arc::new(SqliteStore::open(database.clone(), outbox.clone(), metrics).await?);
    sqlite::show_free_space(&registry.registry, database.clone())?;
    let (probe, dead) = (database.probe(), outbox.clone());
    let resources = Resources { file: Some(database), ..Resources::default() };
    Ok(Backend { store, outbox, dead, probe, resources })
}

impl SqliteStore {
    /// Takes the running totals from what is stored; from then on each commit adds to them.
    pub async fn open(
        database: Arc<Database>,
        outbox: Arc<SqliteOutbox>,
        metrics: BookingMetrics,
    ) -> Result<Self, StoreError> {
        let totals = |connection: &Connection| {
            let sql = "SELECT coalesce(sum(version), 0), coalesce(sum(booked_seats), 0) FROM events";
            connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)))
        };
        let (changes, seats) = database.read(totals).await?;
        metrics.stored(changes, seats);
        let now = Instant::now().as_millis();
        let on_sale = move |connection: &Connection| {
            let sql = "SELECT id, name FROM events WHERE end_date > ? ORDER BY number DESC LIMIT ?";
            let rows = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?));
            let max = crate::metrics::LABELS_MAX as i64;
            connection.prepare(sql)?.query_map([now, max], rows)?.collect::<Result<Vec<(Uuid, String)>, _>>()
        };
        for (id, name) in database.read(on_sale).await? {
            metrics.on_sale(id, &name);
        }
        Ok(Self { database, outbox, metrics })
    }
}
