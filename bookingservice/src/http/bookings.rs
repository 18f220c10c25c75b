//! Booking, looking at bookings, cancelling.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use apidocs::responses::{BodyProblems, CommonProblems, InvalidValue, NotFound};
use contracts::Instant;
use paging::Cursor;
use process::fail_point::fail_point;
use serde::Deserialize;
use trace::Origin;
use utoipa::{IntoParams, ToSchema};
use webserver::{
    input::{Id, Json, NoQuery, Query, key, origin, whole_number},
    page::{self, Page},
    problem::{Problem, ProblemBody},
};

use super::{Context, error};
use crate::{
    domain::{Booked, Booking, BookingDraft, BookingRecord, KEY_MAX, NewBooking},
    metrics::Rejection,
    store::Unavailable,
};

/// The body of a booking request.
#[derive(Debug, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct BookingBody {
    /// How many seats.
    #[serde(deserialize_with = "whole_number")]
    #[schema(example = 2)]
    seats: i64,
    /// Who books; `guest` where absent.
    #[serde(default)]
    user_id: Option<String>,
}

/// Books seats. With an `Idempotency-Key` the same request can be sent again without booking twice.
#[utoipa::path(
    post,
    path = "/events/{id}/bookings",
    params(
        ("id" = uuid::Uuid, Path, description = "the event"),
        ("Idempotency-Key" = Option<String>, Header,
            description = "1 to 255 visible ASCII characters; belongs to the user. `\"k1\"` and `k1` are one key"),
    ),
    request_body = BookingBody,
    responses(
        (status = 201, body = BookingRecord, description = "the seats are taken, and it is on disk",
            headers(("Location" = String, description = "the booking"))),
        (status = 200, body = BookingRecord, description = "the key had booked this before",
            headers(("Idempotent-Replay" = String, description = "true"))),
        CommonProblems, BodyProblems,
        (status = 404, description = "no such event, or not heard of yet: ask again in a second", body = ProblemBody,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
        (status = 409, description = "sold out, or over", body = ProblemBody, content_type = "application/problem+json"),
        (status = 422, description = "a value breaks a rule, or the key has booked something else", body = ProblemBody,
            content_type = "application/problem+json"),
        (status = 503, description = "the outcome is unknown: send it again under the same key", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub async fn create(
    context: web::Data<Context>,
    request: HttpRequest,
    event: Result<Id, Problem>,
    _: NoQuery,
    body: Result<Json<BookingBody>, Problem>,
) -> Result<HttpResponse, Problem> {
    let metrics = &context.metrics;
    let parsed = parse(&request, event, body).inspect_err(|_| metrics.rejected(Rejection::Invalid))?;
    let (id, event_id, origin) = (parsed.id(), parsed.record().event_id, parsed.record().origin.clone());
    let answer = match context.store.book(parsed).await {
        Ok(Ok(Booked::New(booking))) => {
            fail_point("book.before_answer");
            let place = format!("/bookings/{}", booking.id());
            return Ok(HttpResponse::Created().insert_header((header::LOCATION, place)).json(booking));
        }
        Ok(Ok(Booked::Replay(booking))) => {
            metrics.replayed();
            origin.inspect(|origin| origin.repeats(id));
            return Ok(HttpResponse::Ok().insert_header(("Idempotent-Replay", "true")).json(booking));
        }
        Ok(Err(cause)) => error::refused(&cause, event_id),
        Err(cause) => error::not_written(cause, id),
    };
    let (reason, problem) = answer;
    metrics.rejected(reason);
    Err(problem)
}

fn parse(
    request: &HttpRequest,
    event: Result<Id, Problem>,
    body: Result<Json<BookingBody>, Problem>,
) -> Result<NewBooking, Problem> {
    let event_id = event?.0;
    let key = key(request, "Idempotency-Key", KEY_MAX)?;
    let (BookingBody { seats, user_id }, origin) = (body?.0, origin(request).inspect(Origin::reserves));
    let key = key.as_deref();
    Ok(NewBooking::new(BookingDraft { event_id, seats, user_id, key, origin }, Instant::now())?)
}

/// A booking.
#[utoipa::path(
    get,
    path = "/bookings/{id}",
    params(("id" = uuid::Uuid, Path, description = "the booking")),
    responses(
        (status = 200, body = BookingRecord),
        CommonProblems, NotFound,
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let booking = context.store.booking(id.0).await.map_err(Unavailable::not_read)?;
    Ok(HttpResponse::Ok().json(booking.ok_or_else(|| error::unknown_booking(id.0))?))
}

/// Where a page of bookings begins.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The `next` of the page before.
    after: Option<String>,
    /// Items of the page.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

/// The bookings of an event, in the order they were made, the cancelled ones too.
#[utoipa::path(
    get,
    path = "/events/{id}/bookings",
    params(("id" = uuid::Uuid, Path, description = "the event"), ListQuery),
    responses(
        (status = 200, body = Page<BookingRecord>),
        CommonProblems, InvalidValue,
        (status = 404, description = "no such event, or not heard of yet: ask again in a second", body = ProblemBody,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
    )
)]
pub async fn list(context: web::Data<Context>, event: Id, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let after = page::after(query.0.after.as_deref())?;
    let limit = page::limit(query.0.limit.as_deref())?;
    let found = context.store.bookings_of(event.0, after, limit + 1).await.map_err(Unavailable::not_read)?;
    let bookings = found.ok_or_else(|| error::unknown_event(event.0))?;
    let position = |booking: &Booking| Cursor { number: booking.record().seq.cast_signed(), id: booking.id() };
    Ok(HttpResponse::Ok().json(Page::cut(bookings, limit, position)))
}

/// Cancels a booking; its seats can be booked again. Cancelling it once more changes nothing.
#[utoipa::path(
    delete,
    path = "/bookings/{id}",
    params(("id" = uuid::Uuid, Path, description = "the booking")),
    responses(
        (status = 200, body = BookingRecord),
        CommonProblems, NotFound,
    )
)]
pub async fn cancel(
    context: web::Data<Context>,
    request: HttpRequest,
    id: Id,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let cancelled =
        context.store.cancel(id.0, origin(&request)).await.map_err(|cause| error::not_written(cause, id.0).1)?;
    fail_point("cancel.before_answer");
    Ok(HttpResponse::Ok().json(cancelled.ok_or_else(|| error::unknown_booking(id.0))?))
}
