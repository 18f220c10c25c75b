//! What the file of a stopped booking service has stored, as plain values: for `myevents verify`, which compares them with what must
//! be true. It only reads, and decides nothing.

use std::path::PathBuf;

use contracts::Instant;
use rusqlite::Row;
use sqlite::{BadRow, OpenError, StoppedFile};
use uuid::Uuid;

use super::sqlite::spec;
use crate::domain::seats::UNLIMITED;

/// The file, locked.
pub struct Audit {
    /// For its soundness, its outbox and its dead letters.
    pub file: StoppedFile,
}

/// An event as it is sold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredEvent {
    /// The event.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Until when it can be booked.
    pub end_date: Instant,
    /// How many seats it has; absent means unlimited.
    pub capacity: Option<u64>,
    /// How many are left; absent where there is no capacity.
    pub seats_left: Option<u64>,
    /// How many are booked.
    pub booked_seats: u64,
    /// The number of changes of its seats.
    pub version: u64,
    /// Of an event without a capacity: by how much its stored seats differ from [`UNLIMITED`] less the booked ones.
    pub unlimited_off_by: i64,
}

/// A booking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoredBooking<'a> {
    /// The booking.
    pub id: Uuid,
    /// Its event; absent where it refers to one that is not there.
    pub event_id: Option<Uuid>,
    /// The event's version when the seats were taken.
    pub seq: u64,
    /// Who booked.
    pub user_id: &'a str,
    /// How many seats.
    pub seats: u64,
    /// Whether it was cancelled.
    pub cancelled: bool,
}

impl Audit {
    /// Opens `bookingservice.db` in the folder of a stopped system.
    pub fn open(folder: PathBuf) -> Result<Self, OpenError> {
        StoppedFile::open(&spec(folder)).map(|file| Self { file })
    }

    /// All events.
    pub fn events(&self, bad: impl FnMut(BadRow)) -> Result<Vec<StoredEvent>, OpenError> {
        let sql = "SELECT id, name, end_date, capacity, seats_left, booked_seats, version FROM events";
        self.file.rows("events", sql, [], event, bad)
    }

    /// Shows each booking once, in the order of the rows: a million take about a second.
    pub fn each_booking(
        &self,
        mut look: impl FnMut(StoredBooking<'_>),
        bad: impl FnMut(BadRow),
    ) -> Result<(), OpenError> {
        let sql = "SELECT b.id, e.id, b.seq, b.user_id, b.seats, b.cancelled_at IS NOT NULL
                   FROM bookings b LEFT JOIN events e ON e.number = b.event";
        let booking = |row: &Row<'_>| {
            let user_id = row.get_ref(3)?.as_str()?;
            let (id, event_id, seq) = (row.get(0)?, row.get(1)?, row.get(2)?);
            look(StoredBooking { id, event_id, seq, user_id, seats: row.get(4)?, cancelled: row.get(5)? });
            Ok(())
        };
        self.file.rows("bookings", sql, [], booking, bad).map(drop)
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let (capacity, stored_left, booked_seats): (Option<u64>, u64, u64) = (row.get(3)?, row.get(4)?, row.get(5)?);
    let unlimited_off_by = match capacity {
        Some(_) => 0,
        None => stored_left.wrapping_add(booked_seats).wrapping_sub(UNLIMITED).cast_signed(),
    };
    Ok(StoredEvent {
        id: row.get(0)?,
        name: row.get(1)?,
        end_date: super::sqlite::instant(row, 2)?,
        capacity,
        seats_left: capacity.map(|_| stored_left),
        booked_seats,
        version: row.get(6)?,
        unlimited_off_by,
    })
}
