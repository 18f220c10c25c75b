//! What a store keeps of a booking and of an event's seats, as plain values. A store makes the domain's types of them (`stored`), and
//! nothing else is made of them: the types' own fields are private. Read `seats.rs` next.

use contracts::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// A booking as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Booking)]
pub struct BookingRecord {
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

/// The seats of one event as they are stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeatsRecord {
    /// The event.
    pub event_id: Uuid,
    /// Its name.
    pub event_name: String,
    /// Until when it can be booked.
    pub end_date: Instant,
    /// How many seats it has; `None` means unlimited.
    pub capacity: Option<u64>,
    /// How many can still be booked. It counts down from [`super::seats::UNLIMITED`] where there is no capacity.
    pub left: u64,
    /// Seats of all confirmed bookings.
    pub booked: u64,
    /// Grows by one with each change of the seats.
    pub version: u64,
}
