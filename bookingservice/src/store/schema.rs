//! The tables of `bookingservice.db`.
//!
//! What is indexed by random keys (ids under a key are version 5) is kept small, or it costs half of the throughput:
//! bookings lie in the order they were made, and the index of ids holds 16 bytes of each. Instants are milliseconds
//! since 1970.

use sqlite::{open::Migration, outbox};

/// "MyBo", for SQLite's `application_id`.
pub(super) const APPLICATION_ID: i32 = 0x4d79_426f;

/// One for each schema version.
pub(super) const MIGRATIONS: &[Migration] =
    &[|file| file.execute_batch(outbox::SCHEMA), |file| file.execute_batch(BOOKINGS)];

const BOOKINGS: &str = "
CREATE TABLE events (
    number       INTEGER PRIMARY KEY, -- what bookings refer to: shorter than the id
    id           BLOB NOT NULL UNIQUE,
    name         TEXT NOT NULL,
    end_date     INTEGER NOT NULL,
    capacity     INTEGER,
    seats_left   INTEGER NOT NULL CHECK (seats_left >= 0),
    booked_seats INTEGER NOT NULL DEFAULT 0 CHECK (booked_seats >= 0),
    version      INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE bookings (
    number       INTEGER PRIMARY KEY,
    id           BLOB NOT NULL UNIQUE,
    event        INTEGER NOT NULL REFERENCES events (number),
    seq          INTEGER NOT NULL, -- the event's version when the seats were taken
    user_id      TEXT NOT NULL,
    seats        INTEGER NOT NULL,
    booked_at    INTEGER NOT NULL,
    cancelled_at INTEGER
) STRICT;
CREATE UNIQUE INDEX bookings_of_an_event ON bookings (event, seq);
";
