//! What a booking request comes to.

use super::booking::Booking;

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
