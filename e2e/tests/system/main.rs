//! What the whole system does, seen from outside over HTTP. Each test starts its own system, so they run side by side.
//!
//! - [`events`], [`event_lists`], [`locations`], [`bookings`], [`keys`], [`cancelling`], [`view`]: the REST, promise by promise
//! - [`protocol`], [`docs`]: what every URL does alike
//! - [`races`], [`crash`]: many at once, and `kill -9`
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod bookings;
mod cancelling;
mod crash;
mod docs;
mod event_lists;
mod events;
mod keys;
mod locations;
mod protocol;
mod races;
mod steps;
mod view;
