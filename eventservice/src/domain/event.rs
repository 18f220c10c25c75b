//! An event, and the draft that makes one.

use contracts::{EventCreated, Instant};
use garde::Validate;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CAPACITY_MAX, NAME_MAX, no_control_characters};

/// What somebody asks for, not checked yet.
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct EventDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(no_control_characters))]
    pub name: String,
    /// Where it takes place; must be there already.
    pub location_id: Option<Uuid>,
    /// When it begins.
    pub start_date: Instant,
    /// When it ends, after it began.
    #[garde(custom(after(self.start_date)))]
    pub end_date: Instant,
    /// How many seats it has, 1 to [`CAPACITY_MAX`]; absent means unlimited.
    #[garde(range(min = 1, max = CAPACITY_MAX))]
    pub capacity: Option<i64>,
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
    /// The only way to a new event: checks the draft. Whether the location is there, the store must see.
    pub fn new(draft: EventDraft) -> Result<Self, garde::Report> {
        draft.validate()?;
        let EventDraft { name, location_id, start_date, end_date, capacity } = draft;
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

    fn draft(name: &str) -> EventDraft {
        let (start_date, end_date) = ("2026-12-24T18:00:00Z".parse().unwrap(), "2026-12-24T22:00:00Z".parse().unwrap());
        EventDraft { name: name.to_owned(), location_id: None, start_date, end_date, capacity: None }
    }

    #[test]
    fn a_value_that_breaks_a_rule_is_named() {
        for (draft, field) in [
            (draft(""), "name"),
            (draft(&"x".repeat(201)), "name"),
            (draft("a\nb"), "name"),
            (EventDraft { capacity: Some(0), ..draft("a") }, "capacity"),
            (EventDraft { capacity: Some(1_000_001), ..draft("a") }, "capacity"),
            (EventDraft { end_date: draft("a").start_date, ..draft("a") }, "end_date"),
        ] {
            let report = Event::new(draft.clone()).unwrap_err().to_string();
            assert!(report.contains(field), "{draft:?}: {report}");
        }
        assert!(Event::new(draft(&"字".repeat(200))).is_ok());
    }
}
