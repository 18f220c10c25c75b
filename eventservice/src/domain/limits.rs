//! The limits of what may be created. The validation uses them, and so does the OpenAPI document.

/// Characters of a name at most.
pub const NAME_MAX: usize = 200;

/// Characters of any other text at most.
pub const TEXT_MAX: usize = 500;

/// Seats of an event, or of a hall, at most.
pub const CAPACITY_MAX: i64 = 1_000_000;

/// Halls of a location at most.
pub const HALLS_MAX: usize = 100;

/// The rule for texts that are shown and logged.
pub(super) fn readable(text: &str, _: &()) -> garde::Result {
    contracts::readable(text).map_err(garde::Error::new)
}

pub(super) fn time_of_day(text: &str, _: &()) -> garde::Result {
    let digits =
        |part: &str, max: u8| part.len() == 2 && part.parse().is_ok_and(|n: u8| n <= max && !part.starts_with('+'));
    let right = text.split_once(':').is_some_and(|(hours, minutes)| digits(hours, 23) && digits(minutes, 59));
    if right { Ok(()) } else { Err(garde::Error::new("must be a time of day from 00:00 to 23:59, written HH:MM")) }
}
