//! What the services answer, as far as the tools need it; a service's own types are its own. `verify` reads events into its own
//! types, since it reads them from files, too.

use contracts::Instant;
use serde::Deserialize;
use uuid::Uuid;

/// A page of a list; or all that there is.
#[derive(Debug, Deserialize)]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What the next page begins after.
    pub next: Option<String>,
}

/// An event as the event service shows it.
#[derive(Debug, Deserialize)]
pub struct Event {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// When it is over.
    pub end_date: Instant,
    /// Absent where there is no capacity.
    pub capacity: Option<u64>,
    /// Absent where there is no capacity.
    pub seats_left: Option<u64>,
}

/// An event as the booking service sells it.
#[derive(Debug, Deserialize)]
pub struct OnSale {
    /// Its id.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// Absent where there is no capacity.
    pub seats_left: Option<u64>,
    /// Seats of confirmed bookings.
    pub booked_seats: u64,
}

/// A booking.
#[derive(Debug, Deserialize)]
pub struct Booking {
    /// Its id.
    pub id: Uuid,
    /// The event's.
    pub event_id: Uuid,
    /// Who booked.
    pub user_id: String,
    /// How many seats.
    pub seats: u64,
    /// What became of it.
    pub status: BookingStatus,
}

/// What became of a booking.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum BookingStatus {
    /// Its seats are taken.
    Confirmed,
    /// Its seats were given back.
    Cancelled,
}

/// What a redrive did.
#[derive(Debug, Deserialize)]
pub struct Redriven {
    /// Messages that go to their queue again.
    pub redriven: u64,
}
