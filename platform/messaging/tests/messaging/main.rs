//! The bus in one process, the relay, and how a batch is handled: on a real database file. Only the handlers are written for
//! the tests.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod in_process;
mod process_with_retry;
mod relay;
