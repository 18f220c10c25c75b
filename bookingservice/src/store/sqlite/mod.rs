//! Bookings in SQLite: each request is one transaction, and a batch of them one fsync (see `platform/sqlite/src/lib.rs`).
//!
//! What is counted is counted by the callback that runs after the commit, on the writer thread: also where the client
//! has gone away meanwhile. What a request does to the database is in `statements`.

pub(super) mod statements;

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use contracts::{EventCreated, Instant};
use messaging::Effect;
use paging::Cursor;
use process::metrics::Metrics;
use rusqlite::{Connection, Row};
use service::{Backend, Resources, StartError};
use sqlite::{
    Database, StoreError,
    metrics::StoreMetrics,
    open::{OpenError, Spec},
    outbox::SqliteOutbox,
};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    Store, Unavailable,
    schema::{APPLICATION_ID, MIGRATIONS},
};
use crate::{
    domain::{Booked, Booking, NewBooking, Refused, Seats},
    metrics::BookingMetrics,
};

/// Opens `bookingservice.db` in the folder.
pub fn open(folder: PathBuf, metrics: StoreMetrics) -> Result<Database, OpenError> {
    Database::open(&spec(folder), metrics)
}

pub(super) fn spec(folder: PathBuf) -> Spec {
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
    sqlite::show_free_space(registry, database.clone())?;
    let (probe, dead) = (database.probe(), outbox.clone());
    let resources = Resources { file: Some(database), ..Resources::default() };
    Ok(Backend { store, outbox, dead, probe, resources })
}

/// The store on one database file.
pub struct SqliteStore {
    database: Arc<Database>,
    outbox: Arc<SqliteOutbox>,
    metrics: BookingMetrics,
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

#[async_trait]
impl Store for SqliteStore {
    async fn book(&self, request: NewBooking) -> Result<Result<Booked, Refused>, Unavailable> {
        let (metrics, added) = (self.metrics.clone(), self.outbox.added());
        let committed = move |result: &Result<Booked, Refused>| {
            if let Ok(Booked::New(booking)) = result {
                metrics.booked(booking);
                added(1);
            }
        };
        Ok(self.database.write(move |connection| statements::book(connection, request), committed).await?)
    }

    async fn cancel(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        let (metrics, added) = (self.metrics.clone(), self.outbox.added());
        let committed = move |result: &Option<(Booking, bool)>| {
            if let Some((booking, true)) = result {
                metrics.cancelled(booking);
                added(2);
            }
        };
        let cancelled = self.database.write(move |connection| statements::cancel(connection, id), committed).await?;
        Ok(cancelled.map(|(booking, _)| booking))
    }

    async fn booking(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        Ok(self.database.read(move |connection| statements::booking(connection, id)).await?)
    }

    async fn bookings_of(
        &self,
        event: Uuid,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<Option<Vec<Booking>>, Unavailable> {
        // Within an event a `seq` is given out once, so it alone is the position.
        let after = after.map_or(0, |cursor| cursor.number);
        Ok(self.database.read(move |connection| statements::bookings_of(connection, event, after, max)).await?)
    }

    async fn event(&self, id: Uuid) -> Result<Option<Seats>, Unavailable> {
        Ok(self.database.read(move |connection| statements::event(connection, id)).await?)
    }

    async fn events(&self, after: Option<Uuid>, max: usize) -> Result<Vec<Seats>, Unavailable> {
        let after = after.unwrap_or_default();
        Ok(self.database.read(move |connection| statements::events(connection, after, max)).await?)
    }

    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable> {
        let metrics = self.metrics.clone();
        let labels: Vec<_> = events.iter().map(|event| (event.id, event.name.clone())).collect();
        let add = move |connection: &Connection| {
            events.iter().map(|event| statements::add_event(connection, event)).collect()
        };
        let committed = move |_: &Vec<Effect>| labels.iter().for_each(|(id, name)| metrics.on_sale(*id, name));
        Ok(self.database.write(add, committed).await?)
    }
}

impl From<StoreError> for Unavailable {
    fn from(cause: StoreError) -> Self {
        match cause {
            StoreError::Overloaded => Self::Overloaded,
            StoreError::Failed(_) => Self::OutcomeUnknown,
        }
    }
}
