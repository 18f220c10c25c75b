//! Bookings in SQLite: each request is one transaction, and a batch of them one fsync (see `platform/sqlite/src/lib.rs`).
//!
//! What is counted is counted by the callback that runs after the commit, on the writer thread: also where the client
//! has gone away meanwhile. Read next: `domain/seats.rs`, which decides; `open.rs` opens the file.

mod open;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventCreated, Instant};
use jiff::Timestamp;
use messaging::Effect;
use paging::Cursor;
use process::fail_point::fail_point;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sqlite::{
    Database,
    outbox::{SqliteOutbox, insert},
};
use trace::Origin;
use uuid::Uuid;

use crate::{
    domain::{Booked, Booking, BookingRecord, NewBooking, Refused, Sale, Seats, SeatsRecord, Status},
    metrics::BookingMetrics,
    store::{Store, Unavailable, entry},
};

pub(super) use open::spec;
pub use open::{backend, open};

/// The store on one database file.
pub struct SqliteStore {
    database: Arc<Database>,
    outbox: Arc<SqliteOutbox>,
    metrics: BookingMetrics,
}

#[async_trait]
impl Store for SqliteStore {
    async fn book(&self, request: NewBooking) -> Result<Result<Booked, Refused>, Unavailable> {
        let (metrics, added, origin) = (self.metrics.clone(), self.outbox.added(), request.record().origin.clone());
        let committed = move |(result, reserved): &(Result<Booked, Refused>, Timestamp)| {
            if let Ok(Booked::New(booking)) = result {
                metrics.booked(booking);
                if let Some(origin) = &origin {
                    origin.reserved(*reserved);
                    origin.made(booking.id());
                }
                added(1);
            }
        };
        let book = move |connection: &Connection| {
            let mut reserved = Timestamp::UNIX_EPOCH;
            Ok((book(connection, &request, &mut reserved)?, reserved))
        };
        Ok(self.database.write(book, committed).await?.0)
    }

    async fn cancel(&self, id: Uuid, origin: Option<Origin>) -> Result<Option<Booking>, Unavailable> {
        let (metrics, added, told) = (self.metrics.clone(), self.outbox.added(), origin.clone());
        let committed = move |result: &Option<(Booking, bool)>| {
            let Some((booking, changed)) = result else { return };
            if *changed {
                metrics.cancelled(booking);
                told.as_ref().inspect(|origin| origin.changed(booking.id()));
                added(2);
            } else {
                told.as_ref().inspect(|origin| origin.repeats(booking.id()));
            }
        };
        let cancelled =
            self.database.write(move |connection| cancel(connection, id, origin.as_ref()), committed).await?;
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

    async fn event(&self, id: Uuid) -> Result<Option<Seats>, Unavailable> {
        Ok(self.database.read(move |connection| seats(connection, id)).await?.map(|(_, seats)| seats))
    }

    async fn events(&self, after: Option<Uuid>, max: usize) -> Result<Vec<Seats>, Unavailable> {
        let after = after.unwrap_or_default();
        Ok(self.database.read(move |connection| events(connection, after, max)).await?)
    }

    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable> {
        let metrics = self.metrics.clone();
        let labels: Vec<_> = events.iter().map(|event| (event.id, event.name.clone())).collect();
        let add = move |connection: &Connection| events.iter().map(|event| add_event(connection, event)).collect();
        let committed = move |_: &Vec<Effect>| labels.iter().for_each(|(id, name)| metrics.on_sale(*id, name));
        Ok(self.database.write(add, committed).await?)
    }
}

/// `reserved` is when the seats were taken.
fn book(
    connection: &Connection,
    request: &NewBooking,
    reserved: &mut Timestamp,
) -> rusqlite::Result<Result<Booked, Refused>> {
    let asked = request.record();
    if asked.has_key
        && let Some(stored) = booking(connection, asked.id)?
    {
        return Ok(stored.replay(asked.event_id, asked.seats));
    }
    let Some((number, seats)) = seats(connection, asked.event_id)? else { return Ok(Err(Refused::UnknownEvent)) };
    let Sale { seats, booking, message } = match seats.sell(request) {
        Ok(sale) => sale,
        Err(refused) => return Ok(Err(refused)),
    };
    store_seats(connection, number, &seats)?;
    *reserved = Timestamp::now();
    fail_point("book.reserved");
    let sql = "INSERT INTO bookings (id, event, seq, user_id, seats, booked_at) VALUES (?, ?, ?, ?, ?, ?)";
    let BookingRecord { id, seq, user_id, seats, booked_at, .. } = booking.record();
    let values = params![id, number, seq, user_id, seats, booked_at.as_millis()];
    connection.prepare_cached(sql)?.execute(values)?;
    fail_point("book.inserted");
    write_message(connection, &message, asked.origin.as_ref())?;
    fail_point("book.in_outbox");
    Ok(Ok(Booked::New(booking)))
}

/// The booking as it is afterwards, and whether this call cancelled it.
fn cancel(connection: &Connection, id: Uuid, origin: Option<&Origin>) -> rusqlite::Result<Option<(Booking, bool)>> {
    let Some(mut booking) = booking(connection, id)? else { return Ok(None) };
    let at = Instant::now();
    let Some(message) = booking.cancel(at) else { return Ok(Some((booking, false))) };
    let sql = "UPDATE bookings SET cancelled_at = ? WHERE id = ?";
    connection.prepare_cached(sql)?.execute(params![at.as_millis(), id])?;
    fail_point("cancel.marked");
    let (number, seats) = seats(connection, booking.record().event_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let damaged = || rusqlite::Error::ToSqlConversionFailure("fewer seats are booked than this booking has".into());
    let seats = seats.release(booking.record().seats).ok_or_else(damaged)?;
    store_seats(connection, number, &seats)?;
    fail_point("cancel.released");
    write_message(connection, &message, origin)?;
    write_message(connection, &seats.seats_changed(), origin)?;
    fail_point("cancel.in_outbox");
    Ok(Some((booking, true)))
}

/// The relay may find the message before this process hears of the commit, so its story knows it before.
fn write_message<M: Contract>(connection: &Connection, message: &M, origin: Option<&Origin>) -> rusqlite::Result<()> {
    let entry = entry(message, origin.map(Origin::traceparent));
    if let Some(origin) = origin {
        origin.writes(entry.message.id);
    }
    insert(connection, &entry)
}

/// An event's seats, and the number of its row.
fn seats(connection: &Connection, event: Uuid) -> rusqlite::Result<Option<(i64, Seats)>> {
    let row = |row: &Row<'_>| Ok((row.get(7)?, seats_row(row)?));
    connection.prepare_cached(&format!("{SEATS} WHERE id = ?"))?.query_row([event], row).optional()
}

fn store_seats(connection: &Connection, number: i64, seats: &Seats) -> rusqlite::Result<()> {
    let sql = "UPDATE events SET seats_left = ?, booked_seats = ?, version = ? WHERE number = ?";
    let SeatsRecord { left, booked, version, .. } = seats.record();
    connection.prepare_cached(sql)?.execute(params![left, booked, version, number])?;
    Ok(())
}

fn add_event(connection: &Connection, event: &EventCreated) -> rusqlite::Result<Effect> {
    let sql = "INSERT INTO events (id, name, end_date, capacity, seats_left, booked_seats, version)
               VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO NOTHING";
    let seats = Seats::new(event.clone());
    let SeatsRecord { event_id, event_name, end_date, capacity, left, booked, version } = seats.record();
    let values = params![event_id, event_name, end_date.as_millis(), capacity, left, booked, version];
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

/// In the order of their ids.
fn events(connection: &Connection, after: Uuid, max: usize) -> rusqlite::Result<Vec<Seats>> {
    let sql = format!("{SEATS} WHERE id > ? ORDER BY id LIMIT ?");
    connection.prepare_cached(&sql)?.query_map(params![after, max], seats_row)?.collect()
}

pub(super) const SEATS: &str =
    "SELECT id, name, end_date, capacity, seats_left, booked_seats, version, number FROM events";

pub(super) fn seats_row(row: &Row<'_>) -> rusqlite::Result<Seats> {
    Ok(Seats::stored(SeatsRecord {
        event_id: row.get(0)?,
        event_name: row.get(1)?,
        end_date: instant(row, 2)?,
        capacity: row.get(3)?,
        left: row.get(4)?,
        booked: row.get(5)?,
        version: row.get(6)?,
    }))
}

fn booking_row(row: &Row<'_>) -> rusqlite::Result<Booking> {
    let cancelled: Option<i64> = row.get(6)?;
    Ok(Booking::stored(BookingRecord {
        id: row.get(0)?,
        event_id: row.get(1)?,
        event_name: row.get(2)?,
        user_id: row.get(3)?,
        seats: row.get(4)?,
        status: if cancelled.is_some() { Status::Cancelled } else { Status::Confirmed },
        booked_at: instant(row, 5)?,
        cancelled_at: cancelled.map(|_| instant(row, 6)).transpose()?,
        seq: row.get(7)?,
    }))
}

fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let ms = row.get(column)?;
    Instant::from_millis(ms).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}
