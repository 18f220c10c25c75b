//! A booking, and its cancellation. It is made by [`super::Seats::sell`], or of what a store has kept.

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

    /// Its id: UUID version 7; version 5 where it was booked under a key.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What was booked.
    pub fn event_id(&self) -> Uuid {
        self.0.event_id
    }

    /// The name of what was booked.
    pub fn event_name(&self) -> &str {
        &self.0.event_name
    }

    /// Who booked.
    pub fn user_id(&self) -> &str {
        &self.0.user_id
    }

    /// How many seats.
    pub fn seats(&self) -> u64 {
        self.0.seats
    }

    /// Whether it still holds.
    pub fn status(&self) -> Status {
        self.0.status
    }

    /// When it was booked.
    pub fn booked_at(&self) -> Instant {
        self.0.booked_at
    }

    /// When it was cancelled.
    pub fn cancelled_at(&self) -> Option<Instant> {
        self.0.cancelled_at
    }

    /// The event's version when the seats were taken: the order of an event's bookings.
    pub fn seq(&self) -> u64 {
        self.0.seq
    }
}
