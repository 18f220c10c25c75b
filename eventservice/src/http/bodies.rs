//! The bodies of requests: how they are written as JSON, and what the OpenAPI document says of them. The rules are those of the drafts in
//! `domain`; `mod.rs` writes their numbers into the document.

use contracts::Instant;
use serde::Deserialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webserver::input::{objects, optional_uuid, optional_whole_number, whole_number};

use crate::domain::{EventDraft, HallDraft, LocationDraft};

/// The body of `POST /events`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct EventBody {
    /// What it is called.
    #[schema(example = "Tango for beginners")]
    name: String,
    /// Where it takes place; must be there already.
    #[serde(default, deserialize_with = "optional_uuid")]
    location_id: Option<Uuid>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T18:00:00Z")]
    start_date: Instant,
    /// When it ends, after it began; it can be booked until then.
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T22:00:00Z")]
    end_date: Instant,
    /// How many seats it has; absent means unlimited.
    #[serde(default, deserialize_with = "optional_whole_number")]
    #[schema(example = 100)]
    capacity: Option<i64>,
}

/// The body of `POST /locations`.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct LocationBody {
    /// What it is called.
    #[schema(example = "Old Mill")]
    name: String,
    /// Street and number.
    #[schema(example = "Mill Lane 1")]
    address: String,
    /// The country.
    #[schema(example = "Ireland")]
    country: String,
    /// Opens at this time of day.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "18:00")]
    open_time: Option<String>,
    /// Closes at this time of day; before `open_time` means past midnight.
    #[schema(pattern = "^([01][0-9]|2[0-3]):[0-5][0-9]$", example = "02:00")]
    close_time: Option<String>,
    /// Its halls.
    #[serde(default, deserialize_with = "objects")]
    halls: Vec<HallBody>,
}

/// A hall in the body.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct HallBody {
    /// What it is called.
    #[schema(example = "Main hall")]
    name: String,
    /// How many people fit in.
    #[serde(deserialize_with = "whole_number")]
    #[schema(example = 120)]
    capacity: i64,
}

impl From<EventBody> for EventDraft {
    fn from(body: EventBody) -> Self {
        let EventBody { name, location_id, start_date, end_date, capacity } = body;
        Self { name, location_id, start_date, end_date, capacity }
    }
}

impl From<LocationBody> for LocationDraft {
    fn from(body: LocationBody) -> Self {
        let LocationBody { name, address, country, open_time, close_time, halls } = body;
        let halls = halls.into_iter().map(|hall| HallDraft { name: hall.name, capacity: hall.capacity }).collect();
        Self { name, address, country, open_time, close_time, halls }
    }
}
