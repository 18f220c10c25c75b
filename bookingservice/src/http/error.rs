//! What goes wrong with a booking, as the caller may know it, with the reason that is counted. Each `match` is exhaustive: a new kind of
//! error does not compile until it has an answer here.

use actix_web::http::StatusCode;
use uuid::Uuid;
use webserver::problem::{FieldError, Problem};

use crate::{domain::Refused, metrics::Rejection, store::Unavailable};

/// Nothing was booked.
pub fn refused(cause: &Refused, event: Uuid) -> (Rejection, Problem) {
    match cause {
        Refused::UnknownEvent => (Rejection::NotFound, unknown_event(event)),
        Refused::SoldOut { seats_left } => {
            let detail = format!("{seats_left} seats are left, fewer than were asked for");
            let problem = conflict("sold-out", "Not enough seats are left", detail).member("seats_left", *seats_left);
            (Rejection::SoldOut, problem)
        }
        Refused::Over => {
            (Rejection::SoldOut, conflict("event-over", "The event is over", "an event can be booked until it ends"))
        }
        Refused::KeyInUse => {
            let detail = "this key has booked another event or number of seats; use a new key for a new booking";
            let error = FieldError { field: "Idempotency-Key".into(), detail: detail.into() };
            (Rejection::Conflict, Problem::invalid(vec![error]))
        }
    }
}

/// It is not known whether the booking (or cancellation) happened.
pub fn not_written(cause: Unavailable, booking: Uuid) -> (Rejection, Problem) {
    if let Some(problem) = cause.not_begun() {
        return (Rejection::Unavailable, problem);
    }
    let detail = "it is not known whether this was stored: ask for the booking by its id, or send the same \
                  request again, a booking under the same Idempotency-Key";
    (Rejection::OutcomeUnknown, Problem::unavailable(detail).member("booking_id", booking.to_string()))
}

/// 404, with a hint: a new event takes a moment to arrive.
pub fn unknown_event(id: Uuid) -> Problem {
    let detail = format!("no event {id} is known here; a new event takes a moment to arrive, so ask again in a second");
    Problem::not_found(detail).retry_after(1)
}

/// 404.
pub fn unknown_booking(id: Uuid) -> Problem {
    Problem::not_found(format!("there is no booking {id}"))
}

fn conflict(slug: &'static str, title: &'static str, detail: impl Into<String>) -> Problem {
    Problem::new(StatusCode::CONFLICT, slug, title, detail)
}
