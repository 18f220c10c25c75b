//! A database file: one thread that writes, one that reads, and a file that is opened with care.
//!
//! - [`lock`]: one process at a time
//! - [`open`]: what kind of file it is, migrations, check after a crash
//! - [`writer`]: commits a batch of waiting requests per fsync
//! - [`reader`]: reads what is committed, beside the writer
//! - [`stopped`]: a stopped process's file, only to look at: [`rows`] one by one, and whether its [`schema`] is right
//! - [`outbox`]: the one table that belongs to the plumbing, written once for both services
//! - [`place`]: whether the files are still where they were opened
//! - [`trouble`]: one log line when something begins to fail
//! - [`metrics`]: what is counted
//!
//! An fsync takes 0.1 ms or more, a booking's statements 0.03 ms: committing one by one gave 3,100 bookings a second,
//! in batches 18,000 and more.

mod database;
mod error;
mod lock;
pub mod metrics;
pub mod open;
pub mod outbox;
mod place;
pub mod reader;
pub mod rows;
mod schema;
pub mod stopped;
mod trouble;
pub mod writer;

pub use database::Database;
pub use error::StoreError;
