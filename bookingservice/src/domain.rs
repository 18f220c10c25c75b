//! What a booking is, and the rules for a request.
//!
//! Every limit is a constant here: the validation and the OpenAPI schema both use it. A [`NewBooking`] can only be made
//! from a body that keeps the rules; behind it nobody checks again.

use contracts::Instant;
use garde::Validate;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;
use uuid::Uuid;

/// Seats of one booking at most.
pub const SEATS_MAX: i64 = 100;

/// Characters of a user's id at most.
pub const USER_ID_MAX: usize = 100;

/// Characters of an idempotency key at most.
pub const KEY_MAX: usize = 255;

/// Who books where nobody is named.
pub const GUEST: &str = "guest";

/// Ids of bookings under a key are UUIDs version 5 in this namespace. It must never change: a key would book again.
const KEYS: Uuid = Uuid::from_u128(0x7a1c_33a0_6d5e_4f0e_9b1f_5a4b_8e21_c0de);

/// The body of a booking request.
#[derive(Debug, Deserialize, Validate, ToSchema)]
#[serde(deny_unknown_fields)]
#[garde(allow_unvalidated)]
pub struct BookingBody {
    /// How many seats.
    #[garde(range(min = 1, max = SEATS_MAX))]
    #[schema(minimum = 1, maximum = 100, example = 2)]
    seats: i64,
    /// Who books; `guest` where absent.
    #[serde(default)]
    #[garde(length(chars, min = 1, max = USER_ID_MAX), inner(custom(no_control_characters)))]
    #[schema(min_length = 1, max_length = 100)]
    user_id: Option<String>,
}

/// A request that keeps the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBooking {
    /// The booking's id: derived from user and key where there is a key, so that a repetition finds it.
    pub id: Uuid,
    /// Whether a booking of this id may be there already.
    pub has_key: bool,
    /// What is booked.
    pub event_id: Uuid,
    /// Who books.
    pub user_id: String,
    /// How many seats, 1 to [`SEATS_MAX`].
    pub seats: u64,
    /// When.
    pub at: Instant,
    /// The caller's trace, to be carried on with the message.
    pub traceparent: Option<String>,
}

impl NewBooking {
    /// The only constructor: checks the body.
    pub fn parse(event_id: Uuid, body: BookingBody, key: Option<&str>) -> Result<Self, garde::Report> {
        body.validate()?;
        let user_id = body.user_id.unwrap_or_else(|| GUEST.to_owned());
        let id = key.map_or_else(Uuid::now_v7, |key| id_under(&user_id, key));
        let seats = body.seats.unsigned_abs();
        Ok(Self { id, has_key: key.is_some(), event_id, user_id, seats, at: Instant::now(), traceparent: None })
    }
}

/// The id of what a user books under a key: the same each time, which is what keeps a repetition from booking again.
pub fn id_under(user_id: &str, key: &str) -> Uuid {
    // Neither a user's id nor a key may hold NUL, so no two pairs give the same name.
    Uuid::new_v5(&KEYS, format!("{user_id}\0{key}").as_bytes())
}

fn no_control_characters(text: &str, _: &()) -> garde::Result {
    let found = text.chars().any(char::is_control);
    if found { Err(garde::Error::new("must not hold control characters")) } else { Ok(()) }
}

/// A booking as it is stored and answered.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct Booking {
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

#[cfg(test)]
mod tests {
    use super::*;

    fn body(json: &str) -> BookingBody {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn the_same_user_and_key_give_the_same_id_and_others_do_not() {
        let event = Uuid::now_v7();
        let id = |json: &str, key| NewBooking::parse(event, body(json), key).unwrap().id;
        assert_eq!(id(r#"{"seats":1}"#, Some("k")), id(r#"{"seats":2,"user_id":"guest"}"#, Some("k")));
        assert_ne!(id(r#"{"seats":1}"#, Some("k")), id(r#"{"seats":1,"user_id":"ann"}"#, Some("k")));
        assert_ne!(id(r#"{"seats":1}"#, Some("k")), id(r#"{"seats":1}"#, Some("l")));
        assert_ne!(id(r#"{"seats":1}"#, None), id(r#"{"seats":1}"#, None));
    }

    #[test]
    fn a_value_that_breaks_a_rule_is_named() {
        for (json, field) in [
            (r#"{"seats":0}"#, "seats"),
            (r#"{"seats":101}"#, "seats"),
            (r#"{"seats":-1}"#, "seats"),
            (r#"{"seats":1,"user_id":""}"#, "user_id"),
            (r#"{"seats":1,"user_id":"a\u0000b"}"#, "user_id"),
        ] {
            let report = NewBooking::parse(Uuid::now_v7(), body(json), None).unwrap_err().to_string();
            assert!(report.contains(field), "{json}: {report}");
        }
    }
}
