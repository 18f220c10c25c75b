//! A location with its halls, and the draft that makes one.

use contracts::LocationCreated;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

use super::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX, no_control_characters};

/// What somebody asks for, not checked yet.
#[derive(Clone, Debug, Validate)]
pub struct LocationDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(no_control_characters))]
    pub name: String,
    /// Street and number: 1 to [`TEXT_MAX`] characters.
    #[garde(length(chars, min = 1, max = TEXT_MAX), custom(no_control_characters))]
    pub address: String,
    /// The country: 1 to [`TEXT_MAX`] characters.
    #[garde(length(chars, min = 1, max = TEXT_MAX), custom(no_control_characters))]
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

/// A hall of it.
#[derive(Clone, Debug, Validate)]
pub struct HallDraft {
    /// What it is called: 1 to [`NAME_MAX`] characters.
    #[garde(length(chars, min = 1, max = NAME_MAX), custom(no_control_characters))]
    pub name: String,
    /// How many people fit in, 1 to [`CAPACITY_MAX`].
    #[garde(range(min = 1, max = CAPACITY_MAX))]
    pub capacity: i64,
}

fn time_of_day(text: &str, _: &()) -> garde::Result {
    let digits =
        |part: &str, max: u8| part.len() == 2 && part.parse().is_ok_and(|n: u8| n <= max && !part.starts_with('+'));
    let right = text.split_once(':').is_some_and(|(hours, minutes)| digits(hours, 23) && digits(minutes, 59));
    if right { Ok(()) } else { Err(garde::Error::new("must be a time of day from 00:00 to 23:59, written HH:MM")) }
}

/// A location as it is stored and answered; never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Location {
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
    pub halls: Vec<Hall>,
}

/// A hall as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Hall {
    /// What it is called.
    pub name: String,
    /// How many people fit in.
    pub capacity: u64,
}

impl Location {
    /// The only way to a new location: checks the draft.
    pub fn new(draft: LocationDraft) -> Result<Self, garde::Report> {
        draft.validate()?;
        let LocationDraft { name, address, country, open_time, close_time, halls } = draft;
        let hall = |hall: HallDraft| Hall { name: hall.name, capacity: hall.capacity.unsigned_abs() };
        let halls = halls.into_iter().map(hall).collect();
        Ok(Self { id: Uuid::now_v7(), name, address, country, open_time, close_time, halls })
    }

    /// What the other services are told.
    pub fn created(&self) -> LocationCreated {
        let hall = |hall: &Hall| contracts::Hall { name: hall.name.clone(), capacity: hall.capacity };
        LocationCreated {
            id: self.id,
            name: self.name.clone(),
            address: self.address.clone(),
            country: self.country.clone(),
            halls: self.halls.iter().map(hall).collect(),
        }
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
