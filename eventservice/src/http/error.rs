//! What goes wrong, as the caller may know it. Each `match` is exhaustive: a new kind of error does not compile until it
//! has an answer here.

use uuid::Uuid;
use webserver::problem::{FieldError, Problem, Rejection};

use crate::store::{Unavailable, UnknownLocation};

/// The event's location is not there.
pub fn unknown_location(_: UnknownLocation) -> Problem {
    let detail = "there is no such location; create it first with POST /locations".to_owned();
    Problem::invalid(vec![FieldError { field: "location_id".into(), detail }])
}

/// It is not known whether this was stored. `what` is `event_id` or `location_id`.
pub fn not_written(cause: Unavailable, what: &str, id: Uuid) -> Problem {
    match cause {
        Unavailable::Overloaded => overloaded(),
        Unavailable::Away => away(),
        Unavailable::OutcomeUnknown => {
            let detail = "it is not known whether this was stored: ask for it by its id before sending it again";
            Problem::unavailable(detail).member(what, id.to_string())
        }
    }
}

/// Something stored could not be read.
pub fn not_read(cause: Unavailable) -> Problem {
    match cause {
        Unavailable::Overloaded => overloaded(),
        Unavailable::Away => away(),
        Unavailable::OutcomeUnknown => Problem::unavailable("what is stored cannot be read just now"),
    }
}

fn away() -> Problem {
    Problem::unavailable("the store cannot be reached just now; nothing was changed")
}

fn overloaded() -> Problem {
    Problem::unavailable("too many requests wait for the store; nothing was changed").rejected(Rejection::Overload)
}
