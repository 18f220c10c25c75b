//! A booking, and its cancellation.

use contracts::{BookingCancelled, Instant};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A booking as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Booking {
    /// UUID version 7; version 5 where it was booked under a key.
    pub id: Uuid,
    /// What was booked.
    pub event_id: Uuid,
    /// Its name.
    pub event_name: String,
    /// Who booked.
    pub user_id: String,
    /// How many seats.
    pub seats: u64,
    /// Whether it still holds.
    pub status: Status,
    /// When it was booked.
    #[schema(value_type = String, format = DateTime, example = "2026-11-21T08:00:00.000Z")]
    pub booked_at: Instant,
    /// When it was cancelled.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<String>, format = DateTime, nullable = false)]
    pub cancelled_at: Option<Instant>,
    /// The event's version when the seats were taken: the order of an event's bookings.
    #[serde(skip)]
    #[schema(ignore)]
    pub seq: u64,
}

/// Whether a booking still holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// The seats are taken.
    Confirmed,
    /// The seats were given back.
    Cancelled,
}

impl Booking {
    /// Cancels it, and says so to others; `None` where it was cancelled before. The seats come back by [`super::Seats::release`].
    pub fn cancel(&mut self, at: Instant) -> Option<BookingCancelled> {
        if self.status == Status::Cancelled {
            return None;
        }
        (self.status, self.cancelled_at) = (Status::Cancelled, Some(at));
        Some(BookingCancelled {
            booking_id: self.id,
            event_id: self.event_id,
            user_id: self.user_id.clone(),
            seats: self.seats,
            cancelled_at: at,
        })
    }
}
