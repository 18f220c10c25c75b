//! What a store keeps of an event and of a location, as plain values. A store makes the domain's types of them (`stored`), and nothing
//! else is made of them: the types' own fields are private. Read `event.rs` next.

use contracts::Instant;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// An event as it is stored and answered. It is never changed or deleted; only what is heard of its seats changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Event)]
pub struct EventRecord {
    /// UUID version 7.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Where it takes place.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub location_id: Option<Uuid>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T18:00:00.000Z")]
    pub start_date: Instant,
    /// When it ends.
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T22:00:00.000Z")]
    pub end_date: Instant,
    /// How many seats it has; absent means unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub capacity: Option<u64>,
    /// How many are booked, as far as this service has heard.
    pub booked_seats: u64,
    /// How many are left, as far as this service has heard; absent where there is no capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub seats_left: Option<u64>,
}

/// A location as it is stored and answered; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[schema(as = Location)]
pub struct LocationRecord {
    /// UUID version 7.
    pub id: Uuid,
    /// What it is called.
    pub name: String,
    /// Street and number.
    pub address: String,
    /// The country.
    pub country: String,
    /// Opens at this time of day.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub open_time: Option<String>,
    /// Closes at this time of day; before `open_time` means past midnight.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    pub close_time: Option<String>,
    /// Its halls.
    pub halls: Vec<HallRecord>,
}

/// A hall as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(as = Hall)]
pub struct HallRecord {
    /// What it is called.
    pub name: String,
    /// How many people fit in.
    pub capacity: u64,
}
