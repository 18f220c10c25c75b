//! What may be asked for. A [`NewBooking`] is only made of a [`BookingDraft`] that keeps the rules; behind it nobody checks again. The
//! numbers in the rules are in `limits.rs`.

use contracts::Instant;
use garde::Validate;
use trace::Origin;
use uuid::Uuid;

use super::{
    key::id_under,
    limits::{SEATS_MAX, USER_ID_MAX, readable},
};

/// The user where none is named.
pub const GUEST: &str = "guest";

/// What a client asks for, not checked yet.
#[derive(Clone, Debug, Validate)]
#[garde(allow_unvalidated)]
pub struct BookingDraft<'a> {
    /// What is booked.
    pub event_id: Uuid,
    /// How many seats, 1 to [`SEATS_MAX`].
    #[garde(range(min = 1, max = SEATS_MAX))]
    pub seats: i64,
    /// Who books; [`GUEST`] where no user is named. 1 to [`USER_ID_MAX`] characters.
    #[garde(length(chars, min = 1, max = USER_ID_MAX), inner(custom(readable)))]
    pub user_id: Option<String>,
    /// The user's key for this booking; HTTP has checked what its header may hold.
    pub key: Option<&'a str>,
    /// The request it came in.
    pub origin: Option<Origin>,
}

/// A request that keeps the rules: made only by [`NewBooking::new`], and never changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBooking(NewBookingRecord);

/// What is asked for, as plain values.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewBookingRecord {
    /// The booking's id: derived from user and key where there is a key, so that a repetition finds it.
    pub id: Uuid,
    /// Whether a booking of this id may be there already.
    pub has_key: bool,
    /// What is booked.
    pub event_id: Uuid,
    /// Who books.
    pub user_id: String,
    /// How many seats.
    pub seats: u64,
    /// When it was asked for.
    pub at: Instant,
    /// The request it came in; its message carries the trace on.
    pub origin: Option<Origin>,
}

impl NewBooking {
    /// Checks a draft of a request that came in at this time; the report names each field that breaks a rule.
    pub fn new(draft: BookingDraft<'_>, at: Instant) -> Result<Self, garde::Report> {
        draft.validate()?;
        let BookingDraft { event_id, seats, user_id, key, origin } = draft;
        let user_id = user_id.unwrap_or_else(|| GUEST.to_owned());
        let id = key.map_or_else(Uuid::now_v7, |key| id_under(&user_id, key));
        let seats = seats.unsigned_abs();
        Ok(Self(NewBookingRecord { id, has_key: key.is_some(), event_id, user_id, seats, at, origin }))
    }

    /// The booking's id.
    pub fn id(&self) -> Uuid {
        self.0.id
    }

    /// What is asked for.
    pub fn record(&self) -> &NewBookingRecord {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_that_breaks_a_rule_is_named() {
        for (seats, user_id, field) in [
            (0, None, "seats"),
            (101, None, "seats"),
            (-1, None, "seats"),
            (1, Some(""), "user_id"),
            (1, Some("a\u{0}b"), "user_id"),
            (1, Some(" "), "user_id"),
        ] {
            let user_id = user_id.map(str::to_owned);
            let draft = BookingDraft { event_id: Uuid::now_v7(), seats, user_id, key: None, origin: None };
            let report = NewBooking::new(draft, Instant::now()).unwrap_err().to_string();
            assert!(report.contains(field), "{seats}: {report}");
        }
    }
}
