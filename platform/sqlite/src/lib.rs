//! The SQLite adapter: a database file with one writer thread and one reader thread.
//!
//! - [`lock`]: one process at a time
//! - [`open`]: which file it is, migrations, check after a crash
//! - [`database`]: the open file, and the thread that reads what is committed
//! - [`writer`]: commits a batch of waiting requests per fsync, if the files are still where they were opened, and counts that
//! - [`stopped`]: the file of a stopped process, only to be read: row by row, and whether its schema is right
//! - [`outbox`]: the outbox and the dead letters, the same for both services
//! - [`free_space`]: how much the disk still takes
//! - [`error`]: what a failure means for the caller
//!
//! Read next: `database.rs`.
//!
//! An fsync takes 0.1 ms or more, the statements of a booking 0.03 ms: single commits gave 3,100 bookings a second, batches
//! 18,000 and more.

mod database;
mod error;
mod free_space;
mod lock;
pub mod open;
pub mod outbox;
mod stopped;
pub mod writer;

pub use database::Database;
pub use error::{OpenError, StoreError};
pub use free_space::show_free_space;
pub use stopped::{BadRow, StoppedFile};
