//! An event, and the draft that it is made of.

use contracts::{EventCreated, Instant};
use garde::Validate;
use serde::Serialize;
use uuid::Uuid;

use super::{
    limits::{CAPACITY_MAX, NAME_MAX, readable},
    records::EventRecord,
};

/// What a client asks for, not checked yet.
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct EventDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(readable))]
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

/// An event. It is never changed or deleted; only what is shown of its seats follows the booking service's messages.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Event(EventRecord);

impl Event {
    /// A new event: checks the draft. Whether its location exists, the store checks.
    pub fn new(draft: EventDraft) -> Result<Self, garde::Report> {
        draft.validate()?;
        let EventDraft { name, location_id, start_date, end_date, capacity } = draft;
        let capacity = capacity.map(i64::unsigned_abs);
        let (id, booked_seats, seats_left) = (Uuid::now_v7(), 0, capacity);
        Ok(Self(EventRecord { id, name, location_id, start_date, end_date, capacity, booked_seats, seats_left }))
    }

    /// As a store has kept it.
    pub fn stored(record: EventRecord) -> Self {
        Self(record)
    }

    /// The message about it, for other services.
    pub fn created(&self) -> EventCreated {
        let EventRecord { id, name, location_id, start_date, end_date, capacity, .. } = self.0.clone();
        EventCreated { id, name, location_id, start_date, end_date, capacity }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What a store keeps of it.
    pub fn record(&self) -> &EventRecord {
        &self.0
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
            (draft("\u{200b}"), "name"),
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
