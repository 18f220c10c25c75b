//! A booking, its cancellation, and what a request for one comes to. It is made by [`super::Seats::sell`], or of what a store has kept.

use contracts::{BookingCancelled, Instant};
use serde::Serialize;
use uuid::Uuid;

use super::records::{BookingRecord, Status};

/// A booking.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Booking(pub(super) BookingRecord);

impl Booking {
    /// As a store has kept it.
    pub fn stored(record: BookingRecord) -> Self {
        Self(record)
    }

    /// Cancels it, and makes the message; `None` where it was cancelled before. The seats are released by [`super::Seats::release`].
    pub fn cancel(&mut self, at: Instant) -> Option<BookingCancelled> {
        let Self(booking) = self;
        if booking.status == Status::Cancelled {
            return None;
        }
        (booking.status, booking.cancelled_at) = (Status::Cancelled, Some(at));
        Some(BookingCancelled {
            booking_id: booking.id,
            event_id: booking.event_id,
            user_id: booking.user_id.clone(),
            seats: booking.seats,
            cancelled_at: at,
        })
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What a store keeps of it.
    pub fn record(&self) -> &BookingRecord {
        &self.0
    }
}

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
