//! A MongoDB database: one client a service, every call with a timeout, and errors that say whether a write may have
//! happened.
//!
//! - [`address`]: reads `MONGO_URL`
//! - [`table`]: the calls; nothing else speaks to the server
//! - [`error`]: what a failed call says about what was written
//! - [`outbox`], [`dead_letters`]: messages inside the documents they tell of, and those that nobody takes
//! - [`lease`]: one process at a time relays what is left over
//! - [`metrics`]: what the driver tells about commands and connections; `monitor`: what it sees of the servers
//! - [`state`]: what is logged of all that
//! - [`faults`]: crashes and lost answers, for tests
//!
//! There are no transactions: each write is one command on one document, which a standalone server, a replica set and
//! a sharded cluster do alike. What takes several of them is a protocol of the service (its `store/mongo/`).

pub mod address;
pub mod dead_letters;
pub mod error;
pub mod faults;
pub mod lease;
pub mod metrics;
pub mod outbox;
pub mod state;
pub mod table;

mod client;
mod ids;
mod index;
mod monitor;
mod old_field;
mod pending;

pub use client::Mongo;
pub use ids::{id, key};
pub use index::Index;
pub use old_field::OldField;
