//! The limits of what may be booked. The validation uses them, and so does the OpenAPI document.

/// Seats of one booking at most.
pub const SEATS_MAX: i64 = 100;

/// Characters of a user's id at most.
pub const USER_ID_MAX: usize = 100;

/// Characters of an idempotency key at most.
pub const KEY_MAX: usize = 255;

/// The rule for texts that are shown and logged.
pub(super) fn readable(text: &str, _: &()) -> garde::Result {
    contracts::readable(text).map_err(garde::Error::new)
}
