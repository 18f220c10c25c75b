//! A location with its halls, and the draft that it is made of.

use contracts::LocationCreated;
use garde::Validate;
use serde::Serialize;
use uuid::Uuid;

use super::{
    limits::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX, readable, time_of_day},
    records::{HallRecord, LocationRecord},
};

/// What a client asks for, not checked yet.
#[derive(Clone, Debug, Validate)]
pub struct LocationDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(readable))]
    pub name: String,
    /// Street and number: 1 to [`TEXT_MAX`] characters.
    #[garde(length(chars, min = 1, max = TEXT_MAX), custom(readable))]
    pub address: String,
    /// The country: 1 to [`TEXT_MAX`] characters.
    #[garde(length(chars, min = 1, max = TEXT_MAX), custom(readable))]
    pub country: String,
    /// Opens at this time of day, `18:00`.
    #[garde(inner(custom(time_of_day)))]
    pub open_time: Option<String>,
    /// Closes at this time of day; before `open_time` means past midnight.
    #[garde(inner(custom(time_of_day)))]
    pub close_time: Option<String>,
    /// Its halls, at most [`HALLS_MAX`].
    #[garde(length(max = HALLS_MAX), dive)]
    pub halls: Vec<HallDraft>,
}

/// A hall, not checked yet.
#[derive(Clone, Debug, Validate)]
pub struct HallDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(readable))]
    pub name: String,
    /// How many people fit in, 1 to [`CAPACITY_MAX`].
    #[garde(range(min = 1, max = CAPACITY_MAX))]
    pub capacity: i64,
}

/// A location. It is never changed or deleted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct Location(LocationRecord);

impl Location {
    /// A new location: checks the draft.
    pub fn new(draft: LocationDraft) -> Result<Self, garde::Report> {
        draft.validate()?;
        let LocationDraft { name, address, country, open_time, close_time, halls } = draft;
        let hall = |hall: HallDraft| HallRecord { name: hall.name, capacity: hall.capacity.unsigned_abs() };
        let halls = halls.into_iter().map(hall).collect();
        Ok(Self(LocationRecord { id: Uuid::now_v7(), name, address, country, open_time, close_time, halls }))
    }

    /// As a store has kept it.
    pub fn stored(record: LocationRecord) -> Self {
        Self(record)
    }

    /// The message about it, for other services.
    pub fn created(&self) -> LocationCreated {
        let LocationRecord { id, name, address, country, halls, .. } = self.0.clone();
        let hall = |hall: HallRecord| contracts::Hall { name: hall.name, capacity: hall.capacity };
        LocationCreated { id, name, address, country, halls: halls.into_iter().map(hall).collect() }
    }

    /// Its id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What a store keeps of it.
    pub fn record(&self) -> &LocationRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_day_is_two_digits_a_colon_and_two_digits() {
        for right in ["00:00", "09:05", "23:59"] {
            assert!(time_of_day(right, &()).is_ok(), "{right}");
        }
        for wrong in ["", "9:05", "24:00", "23:60", "+1:00", "12:+5", "12:00:00", "12-00", "١٢:٠٠"] {
            assert!(time_of_day(wrong, &()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_hall_that_breaks_a_rule_is_named_with_its_place() {
        let hall = |capacity| HallDraft { name: "d".to_owned(), capacity };
        let [name, address, country] = ["a", "b", "c"].map(str::to_owned);
        let halls = vec![hall(1), hall(0)];
        let draft = LocationDraft { name, address, country, open_time: None, close_time: None, halls };
        let report = Location::new(draft).unwrap_err().to_string();
        assert!(report.contains("halls[1].capacity"), "{report}");
    }
}
