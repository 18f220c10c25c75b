//! The promises under `kill -9`, down to the fsync.
//!
//! - [`durability`]: no 201 leaves before its commit is on the disk

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod durability;
