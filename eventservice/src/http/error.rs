//! What goes wrong, as the caller may know it. What was not begun, and what cannot be read, [`Unavailable`] answers.

use uuid::Uuid;
use webserver::problem::{FieldError, Problem};

use crate::store::{Unavailable, UnknownLocation};

/// The event's location is not there.
pub fn unknown_location(_: UnknownLocation) -> Problem {
    let detail = "there is no such location; create it first with POST /locations".to_owned();
    Problem::invalid(vec![FieldError { field: "location_id".into(), detail }])
}

/// It is not known whether this was stored. `what` is `event_id` or `location_id`.
pub fn not_written(cause: Unavailable, what: &str, id: Uuid) -> Problem {
    cause.not_begun().unwrap_or_else(|| {
        let detail = "it is not known whether this was stored: ask for it by its id before sending it again";
        Problem::unavailable(detail).member(what, id.to_string())
    })
}
