//! An event as this service knows it.

use contracts::SeatsChanged;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

/// What this service knows of an event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = EventOnSale)]
pub struct EventOnSale {
    /// The event.
    pub id: Uuid,
    /// Its name.
    pub name: String,
    /// How many seats it has; absent means unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub capacity: Option<u64>,
    /// How many can still be booked; absent where there is no capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seats_left: Option<u64>,
    /// Seats of all confirmed bookings.
    pub booked_seats: u64,
    /// Grows by one with each change of the seats.
    pub version: u64,
}

impl EventOnSale {
    /// How its seats are, for other services.
    pub fn seats_changed(&self) -> SeatsChanged {
        let Self { id: event_id, seats_left, booked_seats, version, .. } = *self;
        SeatsChanged { event_id, seats_left, booked_seats, version }
    }
}
