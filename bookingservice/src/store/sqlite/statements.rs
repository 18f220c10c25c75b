//! The statements: what each request does to the database, within its transaction.

use contracts::{Contract, EventCreated, Instant};
use messaging::{Effect, Entry};
use process::fail_point::fail_point;
use rusqlite::{Connection, OptionalExtension, Row, params};
use sqlite::outbox::insert;
use uuid::Uuid;

use crate::domain::{Booked, Booking, EventOnSale, NewBooking, Refused, Sale, Seats, Status, seats::UNLIMITED};

pub(super) fn book(connection: &Connection, request: NewBooking) -> rusqlite::Result<Result<Booked, Refused>> {
    if request.has_key()
        && let Some(stored) = booking(connection, request.id())?
    {
        return Ok(stored.replay(&request));
    }
    let Some((number, seats)) = seats(connection, request.event_id())? else { return Ok(Err(Refused::UnknownEvent)) };
    let Sale { seats, booking, message } = match seats.sell(&request) {
        Ok(sale) => sale,
        Err(refused) => return Ok(Err(refused)),
    };
    store_seats(connection, number, &seats)?;
    fail_point("book.reserved");
    let sql = "INSERT INTO bookings (id, event, seq, user_id, seats, booked_at) VALUES (?, ?, ?, ?, ?, ?)";
    let at = booking.booked_at.as_millis();
    let values = params![booking.id, number, booking.seq, booking.user_id, booking.seats, at];
    connection.prepare_cached(sql)?.execute(values)?;
    fail_point("book.inserted");
    add_to_outbox(connection, &message, request.traceparent().map(str::to_owned))?;
    fail_point("book.in_outbox");
    Ok(Ok(Booked::New(booking)))
}

/// The booking as it is afterwards, and whether this call cancelled it.
pub(super) fn cancel(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<(Booking, bool)>> {
    let Some(mut booking) = booking(connection, id)? else { return Ok(None) };
    let at = Instant::now();
    let Some(message) = booking.cancel(at) else { return Ok(Some((booking, false))) };
    let sql = "UPDATE bookings SET cancelled_at = ? WHERE id = ?";
    connection.prepare_cached(sql)?.execute(params![at.as_millis(), id])?;
    fail_point("cancel.marked");
    let (number, seats) = seats(connection, booking.event_id)?.ok_or(rusqlite::Error::QueryReturnedNoRows)?;
    let seats = seats.release(booking.seats);
    store_seats(connection, number, &seats)?;
    fail_point("cancel.released");
    add_to_outbox(connection, &message, None)?;
    add_to_outbox(connection, &seats.on_sale().seats_changed(), None)?;
    fail_point("cancel.in_outbox");
    Ok(Some((booking, true)))
}

/// An event's seats, and the number of its row.
fn seats(connection: &Connection, event: Uuid) -> rusqlite::Result<Option<(i64, Seats)>> {
    let sql = "SELECT id, name, capacity, seats_left, booked_seats, version, number, end_date FROM events WHERE id = ?";
    let row = |row: &Row<'_>| Ok((row.get(6)?, Seats::stored(event_row(row)?, instant(row, 7)?, row.get(3)?)));
    connection.prepare_cached(sql)?.query_row([event], row).optional()
}

fn store_seats(connection: &Connection, number: i64, seats: &Seats) -> rusqlite::Result<()> {
    let sql = "UPDATE events SET seats_left = ?, booked_seats = ?, version = ? WHERE number = ?";
    let EventOnSale { booked_seats, version, .. } = seats.on_sale();
    connection.prepare_cached(sql)?.execute(params![seats.left(), booked_seats, version, number])?;
    Ok(())
}

fn add_to_outbox<M: Contract>(
    connection: &Connection,
    message: &M,
    traceparent: Option<String>,
) -> rusqlite::Result<()> {
    insert(connection, &Entry::new(M::NAME, M::MANDATORY, message.to_json(), traceparent))
}

pub(super) fn add_event(connection: &Connection, event: &EventCreated) -> rusqlite::Result<Effect> {
    let sql = "INSERT INTO events (id, name, end_date, capacity, seats_left) VALUES (?, ?, ?, ?, ?)
               ON CONFLICT (id) DO NOTHING";
    let seats_left = event.capacity.unwrap_or(UNLIMITED);
    let values = params![event.id, event.name, event.end_date.as_millis(), event.capacity, seats_left];
    let rows = connection.prepare_cached(sql)?.execute(values)?;
    Ok(if rows == 1 { Effect::Applied } else { Effect::Duplicate })
}

const BOOKING: &str = "SELECT b.id, e.id, e.name, b.user_id, b.seats, b.booked_at, b.cancelled_at, b.seq
                       FROM bookings b JOIN events e ON e.number = b.event";

pub(super) fn booking(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<Booking>> {
    connection.prepare_cached(&format!("{BOOKING} WHERE b.id = ?"))?.query_row([id], booking_row).optional()
}

pub(super) fn bookings_of(
    connection: &Connection,
    event: Uuid,
    after: i64,
    max: usize,
) -> rusqlite::Result<Option<Vec<Booking>>> {
    let sql = "SELECT number FROM events WHERE id = ?";
    let number: Option<i64> = connection.prepare_cached(sql)?.query_row([event], |row| row.get(0)).optional()?;
    let Some(number) = number else { return Ok(None) };
    let sql = format!("{BOOKING} WHERE b.event = ? AND b.seq > ? ORDER BY b.seq LIMIT ?");
    let mut statement = connection.prepare_cached(&sql)?;
    statement.query_map(params![number, after, max], booking_row)?.collect::<Result<_, _>>().map(Some)
}

pub(super) fn event(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<EventOnSale>> {
    connection.prepare_cached(&format!("{EVENT} WHERE id = ?"))?.query_row([id], event_row).optional()
}

/// In the order of their ids.
pub(super) fn events(connection: &Connection, after: Uuid, max: usize) -> rusqlite::Result<Vec<EventOnSale>> {
    let sql = format!("{EVENT} WHERE id > ? ORDER BY id LIMIT ?");
    connection.prepare_cached(&sql)?.query_map(params![after, max], event_row)?.collect()
}

const EVENT: &str = "SELECT id, name, capacity, seats_left, booked_seats, version FROM events";

fn event_row(row: &Row<'_>) -> rusqlite::Result<EventOnSale> {
    let (capacity, seats_left): (Option<u64>, u64) = (row.get(2)?, row.get(3)?);
    Ok(EventOnSale {
        id: row.get(0)?,
        name: row.get(1)?,
        capacity,
        seats_left: capacity.map(|_| seats_left),
        booked_seats: row.get(4)?,
        version: row.get(5)?,
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

pub(in crate::store) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let ms = row.get(column)?;
    Instant::from_millis(ms).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}
