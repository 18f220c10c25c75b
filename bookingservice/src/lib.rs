//! The booking service. It owns bookings, and per event the seats that are left. It does not own events: it hears of
//! them by `eventCreated`, and knows of each only what it needs to sell seats.
//!
//! | module | idea |
//! |---|---|
//! | [`app`] | the wiring: store, metrics, messages, HTTP |
//! | [`config`] | this binary's options |
//! | [`domain`] | what a booking is, and the rules for a request |
//! | [`http`] | the URL table, the handlers, and how errors are answered |
//! | [`store`] | what a store promises, and SQLite |
//! | [`listener`] | `eventCreated` |
//! | `messages` | what it publishes and reads |
//! | `snapshot` | the current state as messages, republished after a queue was lost |
//! | [`metrics`] | what is counted about bookings |

pub mod app;
pub mod config;
pub mod domain;
pub mod http;
pub mod listener;
mod messages;
pub mod metrics;
mod snapshot;
pub mod store;
