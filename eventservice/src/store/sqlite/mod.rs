//! Events and locations in SQLite: each request is one transaction, and a batch of them one fsync (see
//! `platform/sqlite/src/lib.rs`).

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use contracts::{Instant, SeatsChanged};
use messaging::Effect;
use paging::Cursor;
use process::{fail_point::fail_point, metrics::Metrics};
use rusqlite::{Connection, OptionalExtension, Row, params};
use service::{Backend, Resources, StartError};
use sqlite::{
    Database, StoreError,
    open::{OpenError, Spec},
    outbox::{SqliteOutbox, insert},
    show_free_space,
    writer::StoreMetrics,
};
use tokio::sync::Notify;
use trace::Origin;
use uuid::Uuid;

use super::{
    Filter, Store, Unavailable, UnknownLocation, entry,
    schema::{APPLICATION_ID, MIGRATIONS},
    search_form,
};
use crate::{
    domain::{Event, EventRecord, Location, LocationRecord, SeatUpdate},
    metrics::EventMetrics,
};

/// Opens `eventservice.db` in the folder.
pub fn open(folder: PathBuf, metrics: StoreMetrics) -> Result<Database, OpenError> {
    Database::open(&spec(folder), metrics)
}

pub(super) fn spec(folder: PathBuf) -> Spec {
    Spec { folder, file: "eventservice.db", application_id: APPLICATION_ID, migrations: MIGRATIONS }
}

/// The store with what belongs to it.
pub async fn backend(
    folder: PathBuf,
    registry: &mut Metrics,
    metrics: EventMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    let database = Arc::new(open(folder, StoreMetrics::new(&registry.registry)?)?);
    let outbox = Arc::new(SqliteOutbox::open(database.clone(), wake).await?);
    let store = Arc::new(SqliteStore::open(database.clone(), outbox.clone(), metrics).await?);
    show_free_space(&registry.registry, database.clone())?;
    let (probe, dead) = (database.probe(), outbox.clone());
    let resources = Resources { file: Some(database), ..Resources::default() };
    Ok(Backend { store, outbox, dead, probe, resources })
}

/// The store on one database file.
pub struct SqliteStore {
    database: Arc<Database>,
    outbox: Arc<SqliteOutbox>,
    metrics: EventMetrics,
}

impl SqliteStore {
    /// Takes the running total from what is stored; from then on each commit adds to it.
    pub async fn open(
        database: Arc<Database>,
        outbox: Arc<SqliteOutbox>,
        metrics: EventMetrics,
    ) -> Result<Self, StoreError> {
        let total = "SELECT coalesce(sum(version), 0) FROM events";
        let total: i64 = database.read(move |c| c.query_row(total, [], |row| row.get(0))).await?;
        metrics.view.add(total as f64);
        Ok(Self { database, outbox, metrics })
    }
}

#[async_trait]
impl Store for SqliteStore {
    async fn create_event(
        &self,
        event: Event,
        origin: Option<Origin>,
    ) -> Result<Result<(), UnknownLocation>, Unavailable> {
        let (metrics, added, told, id) = (self.metrics.clone(), self.outbox.added(), origin.clone(), event.id());
        let committed = move |result: &Result<(), UnknownLocation>| {
            if result.is_ok() {
                metrics.events.inc();
                told.as_ref().inspect(|origin| origin.made(id));
                added(1);
            }
        };
        Ok(self.database.write(move |connection| create_event(connection, &event, origin.as_ref()), committed).await?)
    }

    async fn create_location(&self, location: Location, origin: Option<Origin>) -> Result<(), Unavailable> {
        let (metrics, added, told, id) = (self.metrics.clone(), self.outbox.added(), origin.clone(), location.id());
        let committed = move |(): &()| {
            metrics.locations.inc();
            told.as_ref().inspect(|origin| origin.made(id));
            added(1);
        };
        Ok(self
            .database
            .write(move |connection| create_location(connection, &location, origin.as_ref()), committed)
            .await?)
    }

    async fn event(&self, id: Uuid) -> Result<Option<Event>, Unavailable> {
        let select = move |connection: &Connection| {
            let sql = format!("{EVENT} WHERE id = ?");
            connection.prepare_cached(&sql)?.query_row([id], event_row).optional()
        };
        Ok(self.database.read(select).await?)
    }

    async fn events(&self, filter: Filter, after: Option<Cursor>, max: usize) -> Result<Vec<Event>, Unavailable> {
        Ok(self.database.read(move |connection| events(connection, &filter, after, max)).await?)
    }

    async fn location(&self, id: Uuid) -> Result<Option<Location>, Unavailable> {
        let select = move |connection: &Connection| {
            let sql = format!("{LOCATION} WHERE id = ?");
            connection.prepare_cached(&sql)?.query_row([id], location_row).optional()
        };
        Ok(self.database.read(select).await?)
    }

    async fn locations(&self, after: Option<Cursor>, max: usize) -> Result<Vec<Location>, Unavailable> {
        let after = after.map_or(Uuid::nil(), |cursor| cursor.id);
        let select = move |connection: &Connection| {
            let sql = format!("{LOCATION} WHERE id > ? ORDER BY id LIMIT ?");
            connection.prepare_cached(&sql)?.query_map(params![after, max], location_row)?.collect()
        };
        Ok(self.database.read(select).await?)
    }

    async fn apply(&self, updates: Vec<SeatUpdate>) -> Result<Vec<Option<Effect>>, Unavailable> {
        let metrics = self.metrics.clone();
        let apply = move |connection: &Connection| {
            let mut grown = 0;
            let effects = updates.iter().map(|update| apply(connection, update, &mut grown));
            Ok((effects.collect::<Result<Vec<_>, _>>()?, grown))
        };
        let committed = move |(_, grown): &(Vec<Option<Effect>>, u64)| metrics.view.add(*grown as f64);
        let (effects, _) = self.database.write(apply, committed).await?;
        Ok(effects)
    }
}

fn create_event(
    connection: &Connection,
    event: &Event,
    origin: Option<&Origin>,
) -> rusqlite::Result<Result<(), UnknownLocation>> {
    let EventRecord { id, name, location_id, start_date, end_date, capacity, .. } = event.record();
    if let Some(location) = location_id {
        let sql = "SELECT 1 FROM locations WHERE id = ?";
        if !connection.prepare_cached(sql)?.exists([location])? {
            return Ok(Err(UnknownLocation));
        }
    }
    let sql = "INSERT INTO events (id, name, name_lower, location_id, start_date, end_date, capacity, seats_left)
               VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?7)";
    let (from, to) = (start_date.as_millis(), end_date.as_millis());
    let values = params![id, name, search_form(name), location_id, from, to, capacity];
    connection.prepare_cached(sql)?.execute(values)?;
    fail_point("create.inserted");
    insert(connection, &entry(&event.created(), origin))?;
    Ok(Ok(()))
}

fn create_location(connection: &Connection, location: &Location, origin: Option<&Origin>) -> rusqlite::Result<()> {
    let LocationRecord { id, name, address, country, open_time, close_time, halls } = location.record();
    let sql = "INSERT INTO locations (id, name, address, country, open_time, close_time, halls)
               VALUES (?, ?, ?, ?, ?, ?, ?)";
    let halls = serde_json::to_string(halls).expect("halls have only string keys");
    connection.prepare_cached(sql)?.execute(params![id, name, address, country, open_time, close_time, halls])?;
    insert(connection, &entry(&location.created(), origin))
}

/// Absent conditions are absent from the SQL too, so that each combination can use the index that fits.
fn events(connection: &Connection, filter: &Filter, after: Option<Cursor>, max: usize) -> rusqlite::Result<Vec<Event>> {
    let name = filter.name.as_deref().map(search_form);
    let (from, to) = (filter.from.map(Instant::as_millis), filter.to.map(Instant::as_millis));
    let (number, id) = (after.map(|cursor| cursor.number), after.map(|cursor| cursor.id));
    let conditions = [
        (name.is_some(), "substr(name_lower, 1, length(?1)) = ?1"),
        (filter.location_id.is_some(), "location_id = ?2"),
        (from.is_some(), "start_date >= ?3"),
        (to.is_some(), "start_date < ?4"),
        (after.is_some(), "(start_date, id) > (?5, ?6)"),
    ];
    let held = conditions.iter().filter(|(given, _)| *given).map(|(_, condition)| *condition);
    let held = std::iter::once("?7 > 0").chain(held).collect::<Vec<_>>().join(" AND ");
    let sql = format!("{EVENT} WHERE {held} ORDER BY start_date, id LIMIT ?7");
    let mut statement = connection.prepare_cached(&sql)?;
    // A parameter whose condition is absent still has its number; it is bound and not looked at.
    let rows = statement.query_map(params![name, filter.location_id, from, to, number, id, max], event_row)?;
    rows.collect()
}

/// `None` for an unknown event; adds to `grown` by how much the version grew.
fn apply(connection: &Connection, update: &SeatUpdate, grown: &mut u64) -> rusqlite::Result<Option<Effect>> {
    let SeatsChanged { event_id, seats_left, booked_seats, version } = update.record();
    let sql = "SELECT version FROM events WHERE id = ?";
    let shown = connection.prepare_cached(sql)?.query_row([event_id], |row| row.get(0)).optional()?;
    let Some(shown) = shown else { return Ok(None) };
    let effect = update.effect_on(shown);
    if effect == Effect::Applied {
        let sql = "UPDATE events SET seats_left = ?, booked_seats = ?, version = ? WHERE id = ?";
        let values = params![seats_left, booked_seats, version, event_id];
        connection.prepare_cached(sql)?.execute(values)?;
        *grown += version - shown;
    }
    Ok(Some(effect))
}

const EVENT: &str =
    "SELECT id, name, location_id, start_date, end_date, capacity, booked_seats, seats_left FROM events";
const LOCATION: &str = "SELECT id, name, address, country, open_time, close_time, halls FROM locations";

fn event_row(row: &Row<'_>) -> rusqlite::Result<Event> {
    Ok(Event::stored(EventRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        location_id: row.get(2)?,
        start_date: instant(row, 3)?,
        end_date: instant(row, 4)?,
        capacity: row.get(5)?,
        booked_seats: row.get(6)?,
        seats_left: row.get(7)?,
    }))
}

fn location_row(row: &Row<'_>) -> rusqlite::Result<Location> {
    let halls: String = row.get(6)?;
    let damaged = |cause| rusqlite::Error::FromSqlConversionFailure(6, rusqlite::types::Type::Text, Box::new(cause));
    Ok(Location::stored(LocationRecord {
        id: row.get(0)?,
        name: row.get(1)?,
        address: row.get(2)?,
        country: row.get(3)?,
        open_time: row.get(4)?,
        close_time: row.get(5)?,
        halls: serde_json::from_str(&halls).map_err(damaged)?,
    }))
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let ms = row.get(column)?;
    Instant::from_millis(ms).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}
