//! The event service. It owns events and locations. It does not own seats: it receives how many are booked and left from the booking
//! service, and shows the newest numbers (a projection, the *view*).
//!
//! | module | idea |
//! |---|---|
//! | [`app`] | the wiring: store, metrics, messages, HTTP |
//! | [`config`] | this binary's options |
//! | [`domain`] | what an event and a location are, and the rules for making one |
//! | [`http`] | the URL table, the handlers, and how errors are answered |
//! | [`store`] | what a store promises; SQLite and MongoDB |
//! | [`listener`] | `eventBooked` and `seatsChanged` |
//! | `messages` | what it publishes and reads, and its current state as messages, republished after a queue was lost |
//! | [`metrics`] | what is counted about events |
//!
//! Read next: `app.rs`.

pub mod app;
pub mod config;
pub mod domain;
pub mod http;
pub mod listener;
mod messages;
pub mod metrics;
pub mod store;
