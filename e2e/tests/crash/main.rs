//! The promises under `kill -9`: at every place between two steps, at random moments under load, and down to the fsync.
//!
//! - [`fail_points`]: each fail point is a case of its own
//! - [`rounds`]: 20 rounds of load, a flash sale of the last seats, and `kill -9` on one data folder
//! - [`durability`]: no 201 leaves before its commit is on the disk
//! - [`tools`]: the command line's own tools

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod durability;
mod fail_points;
mod rounds;
mod tools;
