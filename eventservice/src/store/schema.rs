//! The tables of `eventservice.db`. Instants are milliseconds since 1970; halls are JSON, since nobody asks for one alone.

use sqlite::outbox;

/// "MyEv", for SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4d79_4576;

/// One script per schema version.
pub(super) const MIGRATIONS: &[&str] = &[outbox::SCHEMA, EVENTS];

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
