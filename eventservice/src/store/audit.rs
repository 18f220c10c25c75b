//! What the file of a stopped event service holds, as plain values: for `myevents verify`, which compares it with what
//! must hold. It only reads, and judges nothing.

use std::path::PathBuf;

use contracts::Instant;
use platform::sqlite::{open::OpenError, stopped::StoppedFile};
use rusqlite::Row;
use uuid::Uuid;

use super::sqlite::{instant, spec};

/// The file, locked.
pub struct Audit {
    /// For its soundness, its outbox and its dead letters.
    pub file: StoppedFile,
}

/// An event, with what was heard of its seats.
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
    /// How many are booked, as far as this service has heard.
    pub booked_seats: u64,
    /// How many are left, likewise; absent where there is no capacity.
    pub seats_left: Option<u64>,
    /// The highest version that was heard of.
    pub version: u64,
}

impl Audit {
    /// Opens `eventservice.db` in the folder of a stopped system.
    pub fn open(folder: PathBuf) -> Result<Self, OpenError> {
        StoppedFile::open(&spec(folder)).map(|file| Self { file })
    }

    /// All events.
    pub fn events(&self) -> Result<Vec<StoredEvent>, OpenError> {
        let sql = "SELECT id, name, end_date, capacity, booked_seats, seats_left, version FROM events";
        self.file.read(|connection| connection.prepare(sql)?.query_map([], event)?.collect())
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    Ok(StoredEvent {
        id: row.get(0)?,
        name: row.get(1)?,
        end_date: instant(row, 2)?,
        capacity: row.get(3)?,
        booked_seats: row.get(4)?,
        seats_left: row.get(5)?,
        version: row.get(6)?,
    })
}
