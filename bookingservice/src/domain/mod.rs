//! What a booking is, and the rules for selling seats, without any store: nothing here knows HTTP, SQL or BSON.
//!
//! - [`seats`]: where overselling is prevented
//! - [`key`]: where a request under the same key is recognised, and refused where it is another one
//! - [`request`]: what may be asked for
//! - [`booking`], [`event`]: what is stored and answered

pub mod booking;
pub mod event;
pub mod key;
pub mod request;
pub mod seats;
#[cfg(test)]
mod tests;

pub use booking::{Booking, Status};
pub use event::EventOnSale;
pub use request::{Draft, NewBooking};
pub use seats::{Sale, Seats};

/// What a booking request came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Booked {
    /// The seats are taken now.
    New(Booking),
    /// They were taken before, under the same key; this is that booking as it stands now.
    Replay(Booking),
}

/// Why nothing was booked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// No such event, or it has not arrived here yet.
    UnknownEvent,
    /// Fewer seats are left.
    SoldOut {
        /// How many.
        seats_left: u64,
    },
    /// The event has ended.
    Over,
    /// The key has booked something else.
    KeyInUse,
}
