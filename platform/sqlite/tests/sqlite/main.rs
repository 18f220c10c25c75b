//! The database file as a service uses it: real files, real threads, a full disk.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod damaged;
mod full;
mod gone;
mod open;
mod outbox;
mod stopped;
mod write;
