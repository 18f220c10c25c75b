//! The booking service. It owns bookings, and the seats that are left of each event. It does not own events: it receives them as
//! `eventCreated`, and keeps of each only what it needs to sell seats.
//!
//! | module | idea |
//! |---|---|
//! | [`app`] | the wiring: store, metrics, messages, HTTP |
//! | [`config`] | this binary's options |
//! | [`domain`] | what a booking is, and the rules for a request |
//! | [`http`] | the URL table, the handlers, and how errors are answered |
//! | [`store`] | what a store promises; SQLite and MongoDB |
//! | [`listener`] | `eventCreated` |
//! | `messages` | what it publishes and reads, and its current state as messages, republished after a queue was lost |
//! | [`metrics`] | what is counted about bookings |
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
