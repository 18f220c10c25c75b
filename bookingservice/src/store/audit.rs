//! What the file of a stopped booking service has stored, as plain values: for `myevents verify`, which compares them with what must
//! be true. It only reads, and decides nothing.

use std::path::PathBuf;

use rusqlite::Row;
use sqlite::{BadRow, OpenError, StoppedFile};
use uuid::Uuid;

use super::sqlite::{SEATS, seats_row, spec};
use crate::domain::{Seats, SeatsRecord, seats::UNLIMITED};

/// The file, locked.
pub struct Audit {
    /// For its soundness, its outbox and its dead letters.
    pub file: StoppedFile,
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

    /// The seats of all events.
    pub fn seats(&self, bad: impl FnMut(BadRow)) -> Result<Vec<Seats>, OpenError> {
        self.file.rows("events", SEATS, [], seats_row, bad)
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

/// Of an event without a capacity: by how much its stored seats differ from [`UNLIMITED`] less the booked ones.
pub fn unlimited_off_by(seats: &SeatsRecord) -> i64 {
    match seats.capacity {
        Some(_) => 0,
        None => seats.left.wrapping_add(seats.booked).wrapping_sub(UNLIMITED).cast_signed(),
    }
}
