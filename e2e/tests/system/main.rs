//! What the whole system does, seen from outside over HTTP. Each test starts its own system, so they run side by side.
//!
//! - [`events`], [`event_lists`], [`locations`], [`bookings`], [`keys`], [`cancelling`], [`view`]: the REST, promise by promise
//! - [`protocol`], [`docs`]: what every URL does alike
//! - [`races`], [`crash`]: many at once, and `kill -9`
//! - [`bad_input`], [`random`], [`limits`]: clients that are wrong, random or slow
//! - [`metrics`], [`stories`]: what is measured, and what is told of one request
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bad_input;
mod bookings;
mod cancelling;
mod connections;
mod crash;
mod docs;
mod event_lists;
mod events;
mod keys;
mod limits;
mod locations;
mod metrics;
mod protocol;
mod races;
mod random;
mod steps;
mod stories;
mod view;
