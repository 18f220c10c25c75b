//! What the file of a stopped event service has stored, as plain values: for `myevents verify`, which compares them with what must be
//! true. It only reads, and decides nothing but what this file alone shows.

use std::path::PathBuf;

use contracts::Instant;
use rusqlite::Row;
use sqlite::{BadRow, OpenError, StoppedFile};
use uuid::Uuid;

use super::{
    search_form,
    sqlite::{instant, spec},
};

/// The file, locked.
pub struct Audit {
    /// For its soundness, its outbox and its dead letters.
    pub file: StoppedFile,
}

/// An event, with the view of its seats.
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
    /// How many are booked, by the newest message.
    pub booked_seats: u64,
    /// How many are left, likewise; absent where there is no capacity.
    pub seats_left: Option<u64>,
    /// The highest version of any message.
    pub version: u64,
    /// The contradictions in it, in words.
    pub wrong: Vec<&'static str>,
}

impl Audit {
    /// Opens `eventservice.db` in the folder of a stopped system.
    pub fn open(folder: PathBuf) -> Result<Self, OpenError> {
        StoppedFile::open(&spec(folder)).map(|file| Self { file })
    }

    /// All events.
    pub fn events(&self, bad: impl FnMut(BadRow)) -> Result<Vec<StoredEvent>, OpenError> {
        let sql = "SELECT e.id, e.name, e.end_date, e.capacity, e.booked_seats, e.seats_left, e.version, e.start_date,
                          e.name_lower, e.location_id IS NOT NULL AND l.id IS NULL
                   FROM events e LEFT JOIN locations l ON l.id = e.location_id";
        self.file.rows("events", sql, [], event, bad)
    }
}

fn event(row: &Row<'_>) -> rusqlite::Result<StoredEvent> {
    let name: String = row.get(1)?;
    let (start_date, end_date, name_lower, is_nowhere) =
        (instant(row, 7)?, instant(row, 2)?, row.get_ref(8)?.as_str()?, row.get(9)?);
    let wrong = [
        (is_nowhere, "its location is not there"),
        (name_lower != search_form(&name), "name_lower is not its name, so it is not found by it"),
        (start_date > end_date, "it ends before it begins"),
    ];
    let wrong = wrong.into_iter().filter_map(|(is, what)| is.then_some(what)).collect();
    Ok(StoredEvent {
        id: row.get(0)?,
        name,
        end_date,
        capacity: row.get(3)?,
        booked_seats: row.get(4)?,
        seats_left: row.get(5)?,
        version: row.get(6)?,
        wrong,
    })
}
