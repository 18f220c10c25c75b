//! What a booking is, and the rules for selling seats, without any store: nothing here knows HTTP, SQL or BSON.
//!
//! - [`seats`]: where overselling is prevented
//! - [`key`]: where a request under the same key is recognised, and refused where it asks for something else
//! - [`request`]: what may be asked for, within [`limits`]
//! - [`booking`]: a booking, its cancellation, and what a request comes to; [`records`]: what a store keeps

pub mod booking;
pub mod key;
pub mod limits;
pub mod records;
pub mod request;
pub mod seats;
#[cfg(test)]
mod tests;

pub use booking::{Booked, Booking, Refused};
pub use limits::{KEY_MAX, SEATS_MAX, USER_ID_MAX};
pub use records::{BookingRecord, SeatsRecord, Status};
pub use request::{BookingDraft, NewBooking, NewBookingRecord};
pub use seats::{Sale, Seats};
