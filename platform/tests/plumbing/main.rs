//! The plumbing as a service uses it: real files, real threads, the real relay. Only the message handlers are written
//! for the tests.
//!
//! - `sqlite_*`: the database file, its writer, a full disk, the outbox

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod logs;
mod sqlite_full;
mod sqlite_open;
mod sqlite_outbox;
mod sqlite_write;
mod support;
