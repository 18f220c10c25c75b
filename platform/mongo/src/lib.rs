//! The MongoDB adapter: one client for each service, a timeout for every call, and errors that say whether a write may have
//! happened.
//!
//! - [`address`]: reads `MONGO_URL`
//! - [`table`]: the calls; nothing else calls the server
//! - [`error`]: what a failed call says about what was written
//! - [`outbox`], [`dead_letters`]: messages inside the documents that they describe, and dead letters
//! - [`lease`]: one process at a time is the leader, which publishes what other processes left
//! - [`metrics`]: what the driver reports of commands and connections; `monitor`: what it reports of the servers
//! - [`failures`]: what is logged of all that
//! - [`faults`]: crashes and lost answers, for tests
//! - `prepare`: the owner of the database, what shows that an older version has written it, and the indexes that a service needs
//!
//! Read next: `client.rs`, then `table.rs`.
//!
//! There are no transactions: each write is one command on one document, which is atomic on a standalone server, a replica set
//! and a sharded cluster. What needs several writes is a protocol of the service (its `store/mongo/`).

pub mod address;
pub mod dead_letters;
pub mod error;
pub mod failures;
pub mod faults;
pub mod lease;
pub mod metrics;
pub mod outbox;
pub mod table;

mod client;
mod monitor;
mod prepare;

pub use crate::table::{id, key};
pub use client::Mongo;
pub use prepare::{Index, OldField};
