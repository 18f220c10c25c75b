//! The statements: what each request does to the database, within its transaction.

use contracts::{BookingCancelled, Contract, EventBooked, EventCreated, Instant, SeatsChanged};
use platform::{
    fail_point::fail_point,
    messaging::{Effect, Entry},
    sqlite::outbox::insert,
};
use rusqlite::{Connection, OptionalExtension, Row, params};
use uuid::Uuid;

use crate::{
    domain::{Booking, EventOnSale, NewBooking, Status},
    store::{Booked, Refused, schema::UNLIMITED},
};

pub(super) fn book(connection: &Connection, request: NewBooking) -> rusqlite::Result<Result<Booked, Refused>> {
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
pub(super) fn cancel(connection: &Connection, id: Uuid) -> rusqlite::Result<Option<(Booking, bool)>> {
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

pub(in crate::store) fn instant(row: &Row<'_>, column: usize) -> rusqlite::Result<Instant> {
    let ms = row.get(column)?;
    Instant::from_millis(ms).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, ms))
}
