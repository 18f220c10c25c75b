//! The tables of `eventservice.db`. Instants are milliseconds since 1970; halls are JSON, since nobody asks for one alone.

use rusqlite::{Connection, params};
use sqlite::{open::Migration, outbox};
use uuid::Uuid;

use super::search_form;

/// "MyEv", for SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4d79_4576;

/// One for each schema version.
pub(super) const MIGRATIONS: &[Migration] =
    &[|file| file.execute_batch(outbox::SCHEMA), |file| file.execute_batch(EVENTS), search_forms];

const EVENTS: &str = "
CREATE TABLE locations (
    id         BLOB PRIMARY KEY,
    name       TEXT NOT NULL,
    address    TEXT NOT NULL,
    country    TEXT NOT NULL,
    open_time  TEXT,
    close_time TEXT,
    halls      TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE events (
    id           BLOB PRIMARY KEY,
    name         TEXT NOT NULL,
    name_lower   TEXT NOT NULL, -- what the filter compares
    location_id  BLOB REFERENCES locations (id),
    start_date   INTEGER NOT NULL,
    end_date     INTEGER NOT NULL,
    capacity     INTEGER,
    booked_seats INTEGER NOT NULL DEFAULT 0, -- these three as heard from the booking service
    seats_left   INTEGER,
    version      INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE INDEX events_in_order ON events (start_date, id);
CREATE INDEX events_of_a_location ON events (location_id, start_date, id) WHERE location_id IS NOT NULL;
";

/// Version 2 made small letters of a name, and nothing else.
fn search_forms(file: &Connection) -> rusqlite::Result<()> {
    let mut other = Vec::new();
    let mut events = file.prepare("SELECT id, name, name_lower FROM events")?;
    let mut rows = events.query([])?;
    while let Some(row) = rows.next()? {
        let (id, form): (Uuid, _) = (row.get(0)?, search_form(row.get_ref(1)?.as_str()?));
        if form != row.get_ref(2)?.as_str()? {
            other.push((id, form));
        }
    }
    let mut change = file.prepare("UPDATE events SET name_lower = ? WHERE id = ?")?;
    other.into_iter().try_for_each(|(id, form)| change.execute(params![form, id]).map(drop))
}
