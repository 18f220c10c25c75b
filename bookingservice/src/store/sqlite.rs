//! Bookings in SQLite: each request is one transaction, and a batch of them one fsync (see `platform/src/sqlite.rs`).
//!
//! What is counted is counted by the callback that runs after the commit, on the writer thread: also where the client
//! has gone away meanwhile.

use std::{path::PathBuf, sync::Arc};

use async_trait::async_trait;
use contracts::{BookingCancelled, Contract, EventBooked, EventCreated, Instant, SeatsChanged};
use platform::{
    fail_point::fail_point,
    http::page::Cursor,
    messaging::{Effect, Entry},
    metrics::Metrics,
    service::{Backend, Kept, StartError},
    sqlite::{
        Database, StoreError,
        metrics::{StoreMetrics, show_free_space},
        open::{OpenError, Spec},
        outbox::{SqliteOutbox, insert},
    },
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    Booked, Refused, Store, Unavailable,
    schema::{APPLICATION_ID, MIGRATIONS, UNLIMITED},
};
use crate::{
    domain::{Booking, EventOnSale, NewBooking, Status},
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
    show_free_space(registry, database.clone())?;
    let (probe, dead) = (database.probe(), outbox.clone());
    let kept = Kept { file: Some(database), ..Kept::default() };
    Ok(Backend { store, outbox, dead, probe, kept })
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
        Ok(self.database.write(move |connection| book(connection, request), committed).await?)
    }

    async fn cancel(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        let (metrics, added) = (self.metrics.clone(), self.outbox.added());
        let committed = move |result: &Option<(Booking, bool)>| {
            if let Some((booking, true)) = result {
                metrics.cancelled(booking);
                added(2);
            }
        };
        let cancelled = self.database.write(move |connection| cancel(connection, id), committed).await?;
        Ok(cancelled.map(|(booking, _)| booking))
    }

    async fn booking(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        Ok(self.database.read(move |connection| booking(connection, id)).await?)
    }

    async fn bookings_of(
        &self,
        event: Uuid,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<Option<Vec<Booking>>, Unavailable> {
        // Within an event a `seq` is given out once, so it alone is the position.
        let after = after.map_or(0, |cursor| cursor.number);
        Ok(self.database.read(move |connection| bookings_of(connection, event, after, max)).await?)
    }

    async fn event(&self, id: Uuid) -> Result<Option<EventOnSale>, Unavailable> {
        Ok(self.database.read(move |connection| event(connection, id)).await?)
    }

    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable> {
        let metrics = self.metrics.clone();
        let labels: Vec<_> = events.iter().map(|event| (event.id, event.name.clone())).collect();
        let add = move |connection: &Connection| events.iter().map(|event| add_event(connection, event)).collect();
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

fn book(connection: &Connection, request: NewBooking) -> rusqlite::Result<Result<Booked, Refused>> {
    if request.has_key
        && let Some(stored) = booking(connection, request.id)?
    {
        let same = stored.event_id == request.event_id && stored.seats == request.seats;
        return Ok(if same { Ok(Booked::Replay(stored)) } else { Err(Refused::KeyInUse) });
    }
    let sql = "SELECT number, name, end_date, capacity, seats_left, booked_seats, version FROM events WHERE id = ?";
    let event = connection.prepare_cached(sql)?.query_row([request.event_id], seats_of).optional()?;
    let Some(event) = event else { return Ok(Err(Refused::UnknownEvent)) };
    if event.end_date <= request.at {
        return Ok(Err(Refused::Over));
    }
    let Some(seats_left) = event.seats_left.checked_sub(request.seats) else {
        return Ok(Err(Refused::SoldOut { seats_left: event.seats_left }));
    };
    let (booked_seats, version) = (event.booked_seats + request.seats, event.version + 1);
    let sql = "UPDATE events SET seats_left = ?, booked_seats = ?, version = ? WHERE number = ?";
    connection.prepare_cached(sql)?.execute(params![seats_left, booked_seats, version, event.number])?;
    fail_point("book.reserved");
    let sql = "INSERT INTO bookings (id, event, seq, user_id, seats, booked_at) VALUES (?, ?, ?, ?, ?, ?)";
    let at = request.at.as_millis();
    let values = params![request.id, event.number, version, request.user_id, request.seats, at];
    connection.prepare_cached(sql)?.execute(values)?;
    fail_point("book.inserted");
    let message = EventBooked {
        booking_id: request.id,
        event_id: request.event_id,
        user_id: request.user_id.clone(),
        seats: request.seats,
        booked_at: request.at,
        seats_left: event.limited.then_some(seats_left),
        booked_seats,
        version,
    };
    publish(connection, &message, request.traceparent)?;
    fail_point("book.told");
    Ok(Ok(Booked::New(Booking {
        id: request.id,
        event_id: request.event_id,
        event_name: event.name,
        user_id: request.user_id,
        seats: request.seats,
        status: Status::Confirmed,
        booked_at: request.at,
        cancelled_at: None,
        seq: version,
    })))
}

/// The booking as it is afterwards, and whether this call cancelled it.
fn cancel(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<(Booking, bool)>> {
    let Some(mut booking) = booking(connection, id)? else { return Ok(None) };
    if booking.status == Status::Cancelled {
        return Ok(Some((booking, false)));
    }
    let at = Instant::now();
    let sql = "UPDATE bookings SET cancelled_at = ? WHERE id = ?";
    connection.prepare_cached(sql)?.execute(params![at.as_millis(), id])?;
    fail_point("cancel.marked");
    let sql = "UPDATE events SET seats_left = seats_left + ?1, booked_seats = booked_seats - ?1, version = version + 1
               WHERE id = ?2 RETURNING capacity IS NULL, seats_left, booked_seats, version";
    let changed = connection.prepare_cached(sql)?.query_row(params![booking.seats, booking.event_id], |row| {
        let (unlimited, seats_left): (bool, u64) = (row.get(0)?, row.get(1)?);
        let seats_left = (!unlimited).then_some(seats_left);
        Ok(SeatsChanged { event_id: booking.event_id, seats_left, booked_seats: row.get(2)?, version: row.get(3)? })
    })?;
    fail_point("cancel.given_back");
    let message = BookingCancelled {
        booking_id: id,
        event_id: booking.event_id,
        user_id: booking.user_id.clone(),
        seats: booking.seats,
        cancelled_at: at,
    };
    publish(connection, &message, None)?;
    publish(connection, &changed, None)?;
    fail_point("cancel.told");
    (booking.status, booking.cancelled_at) = (Status::Cancelled, Some(at));
    Ok(Some((booking, true)))
}

fn publish<M: Contract>(connection: &Connection, message: &M, traceparent: Option<String>) -> rusqlite::Result<()> {
    insert(connection, &Entry::new(M::NAME, M::MANDATORY, message.to_json(), traceparent))
}

fn add_event(connection: &Connection, event: &EventCreated) -> rusqlite::Result<Effect> {
    let sql = "INSERT INTO events (id, name, end_date, capacity, seats_left) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (id) DO NOTHING";
    let seats_left = event.capacity.unwrap_or(UNLIMITED);
    let values = params![event.id, event.name, event.end_date.as_millis(), event.capacity, seats_left];
    let rows = connection.prepare_cached(sql)?.execute(values)?;
    Ok(if rows == 1 { Effect::Applied } else { Effect::Duplicate })
}

const BOOKING: &str = "SELECT b.id, e.id, e.name, b.user_id, b.seats, b.booked_at, b.cancelled_at, b.seq
                       FROM bookings b JOIN events e ON e.number = b.event";

fn booking(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Booking>> {
    connection.prepare_cached(&format!("{BOOKING} WHERE b.id = ?"))?.query_row([id], booking_row).optional()
}

fn bookings_of(connection: &Connection, event: Uuid, after: i64, max: usize) -> rusqlite::Result<Option<Vec<Booking>>> {
    let sql = "SELECT number FROM events WHERE id = ?";
    let number: Option<i64> = connection.prepare_cached(sql)?.query_row([event], |row| row.get(0)).optional()?;
    let Some(number) = number else { return Ok(None) };
    let sql = format!("{BOOKING} WHERE b.event = ? AND b.seq > ? ORDER BY b.seq LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(params![number, after, max], booking_row)?.collect::<Result<_, _>>().map(Some)
}

fn event(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<EventOnSale>> {
    let sql = "SELECT name, capacity, seats_left, booked_seats, version FROM events WHERE id = ?";
    let read = |row: &Row<'_>| {
        let (capacity, seats_left): (Option<u64>, u64) = (row.get(1)?, row.get(2)?);
        let seats_left = capacity.map(|_| seats_left);
        let (name, booked_seats, version) = (row.get(0)?, row.get(3)?, row.get(4)?);
        Ok(EventOnSale { id, name, capacity, seats_left, booked_seats, version })
    };
    connection.prepare_cached(sql)?.query_row([id], read).optional()
}

/// What a booking needs of its event.
struct Seats {
    number: i64,
    name: String,
    end_date: Instant,
    limited: bool,
    seats_left: u64,
    booked_seats: u64,
    version: u64,
}

fn seats_of(row: &Row<'_>) -> rusqlite::Result<Seats> {
    Ok(Seats {
        number: row.get(0)?,
        name: row.get(1)?,
        end_date: instant(row, 2)?,
        limited: row.get::<_, Option<u64>>(3)?.is_some(),
        seats_left: row.get(4)?,
        booked_seats: row.get(5)?,
        version: row.get(6)?,
    })
}

fn booking_row(row: &Row<'_>) -> rusqlite::Result<Booking> {
    let cancelled: Option<i64> = row.get(6)?;
    Ok(Booking {
        id: row.get(0)?,
        event_id: row.get(1)?,
        event_name: row.get(2)?,
        user_id: row.get(3)?,
        seats: row.get(4)?,
        status: if cancelled.is_some() { Status::Cancelled } else { Status::Confirmed },
        booked_at: instant(row, 5)?,
        cancelled_at: cancelled.map(|_| instant(row, 6)).transpose()?,
        seq: row.get(7)?,
    })
}

pub(super) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let ms = row.get(column)?;
    Instant::from_millis(ms).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}
