//! Messages inside documents, on a MongoDB server, and what the log says of one; and a resync, for both outboxes.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod failures;
mod outbox;
#[cfg(debug_assertions)] // faults are not in release builds
mod owner;
mod resync;
