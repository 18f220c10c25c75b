//! An event, and the body that makes one.

use contracts::{EventCreated, Instant};
use garde::Validate;
use platform::http::input::optional_uuid;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CAPACITY_MAX, NAME_MAX, no_control_characters};

/// The body of `POST /events`.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct EventBody {
    /// What it is called.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(no_control_characters))]
    #[schema(min_length = 1, max_length = 200, example = "Tango for beginners")]
    name: String,
    /// Where it takes place; must be there already.
    #[serde(default, deserialize_with = "optional_uuid")]
    location_id: Option<Uuid>,
    /// When it begins.
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T18:00:00Z")]
    start_date: Instant,
    /// When it ends, after it began; it can be booked until then.
    #[garde(custom(after(self.start_date)))]
    #[schema(value_type = String, format = DateTime, example = "2026-12-24T22:00:00Z")]
    end_date: Instant,
    /// How many seats it has; absent means unlimited.
    #[serde(default)]
    #[garde(range(min = 1, max = CAPACITY_MAX))]
    #[schema(minimum = 1, maximum = 1_000_000, example = 100)]
    capacity: Option<i64>,
}

fn after(start: Instant) -> impl FnOnce(&Instant, &()) -> garde::Result {
    move |end, ()| if *end > start { Ok(()) } else { Err(garde::Error::new("must be after start_date")) }
}

/// An event as it is stored and answered. It is never changed or deleted; only what is heard of its seats changes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Event {
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

impl Event {
    /// The only way to a new event: checks the body. Whether the location is there, the store must see.
    pub fn parse(body: EventBody) -> Result<Self, garde::Report> {
        body.validate()?;
        let EventBody { name, location_id, start_date, end_date, capacity } = body;
        let capacity = capacity.map(i64::unsigned_abs);
        let (id, booked_seats, seats_left) = (Uuid::now_v7(), 0, capacity);
        Ok(Self { id, name, location_id, start_date, end_date, capacity, booked_seats, seats_left })
    }

    /// What the other services are told.
    pub fn created(&self) -> EventCreated {
        EventCreated {
            id: self.id,
            name: self.name.clone(),
            location_id: self.location_id,
            start_date: self.start_date,
            end_date: self.end_date,
            capacity: self.capacity,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_breaks_a_rule_is_named() {
        let dates = r#""start_date":"2026-12-24T18:00:00Z","end_date":"2026-12-24T22:00:00Z""#;
        let long = "x".repeat(201);
        for (json, field) in [
            (format!(r#"{{"name":"",{dates}}}"#), "name"),
            (format!(r#"{{"name":"{long}",{dates}}}"#), "name"),
            (format!(r#"{{"name":"a\nb",{dates}}}"#), "name"),
            (format!(r#"{{"name":"a",{dates},"capacity":0}}"#), "capacity"),
            (format!(r#"{{"name":"a",{dates},"capacity":1000001}}"#), "capacity"),
            (
                r#"{"name":"a","start_date":"2026-12-24T22:00:00Z","end_date":"2026-12-24T22:00:00Z"}"#.into(),
                "end_date",
            ),
        ] {
            let report = Event::parse(serde_json::from_str(&json).unwrap()).unwrap_err().to_string();
            assert!(report.contains(field), "{json}: {report}");
        }
        let widest = "字".repeat(200);
        assert!(Event::parse(serde_json::from_str(&format!(r#"{{"name":"{widest}",{dates}}}"#)).unwrap()).is_ok());
    }
}
