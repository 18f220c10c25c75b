//! `GET /bookings/{id}/timeline`: what happened to the request that made a booking, as far as this process knows.

use actix_web::{HttpResponse, web};
use apidocs::responses::{CommonProblems, NotFound};
use serde::Serialize;
use trace::Step as Taken;
use utoipa::ToSchema;
use uuid::Uuid;
use webserver::{
    input::{Id, NoQuery},
    problem::Problem,
};

use super::{Context, error};
use crate::store::Unavailable;

/// What happened to the request that made a booking.
#[derive(Serialize, ToSchema)]
pub struct Timeline {
    /// The booking.
    booking_id: Uuid,
    /// The trace of its request, 32 hexadecimal digits; null where this process does not know the request.
    #[schema(pattern = "^[0-9a-f]{32}$")]
    trace_id: Option<String>,
    /// All steps, in the usual order.
    steps: Vec<TimelineStep>,
}

/// One step.
#[derive(Serialize, ToSchema)]
pub struct TimelineStep {
    /// Which step.
    step: Step,
    /// When, in microseconds; null where this process does not know it.
    #[schema(value_type = Option<String>, format = DateTime)]
    at: Option<String>,
}

// `trace::Step` is the same list, but belongs to no service: here stands what each step is for a booking, for the OpenAPI document.
/// What happens to the request of a booking.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum Step {
    /// Its head has arrived.
    Received,
    /// The seats were taken.
    Reserved,
    /// The booking and its message are durable.
    Stored,
    /// The answer was handed to the connection.
    Answered,
    /// The message was handed to the bus.
    Published,
    /// The bus has confirmed the message.
    Confirmed,
    /// The event service shows the seats as booked.
    Applied,
}

impl From<Taken> for Step {
    fn from(step: Taken) -> Self {
        match step {
            Taken::Received => Self::Received,
            Taken::Reserved => Self::Reserved,
            Taken::Stored => Self::Stored,
            Taken::Answered => Self::Answered,
            Taken::Published => Self::Published,
            Taken::Confirmed => Self::Confirmed,
            Taken::Applied => Self::Applied,
        }
    }
}

/// What happened to the request that made a booking, step by step.
///
/// A process knows its own part of its last 10,000 requests, since its start; all else is null. Where the services run apart, the event
/// service knows when it was applied: `myevents trace` asks all of them.
#[utoipa::path(
    get,
    path = "/bookings/{id}/timeline",
    params(("id" = uuid::Uuid, Path, description = "the booking")),
    responses(
        (status = 200, body = Timeline),
        CommonProblems, NotFound,
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let booking = context.store.booking(id.0).await.map_err(Unavailable::not_read)?;
    let booking_id = booking.ok_or_else(|| error::unknown_booking(id.0))?.id();
    let story = context.stories.of_resource(booking_id);
    let at = |step| story.as_ref().and_then(|story| story.at(step)).map(|at| format!("{at:.6}"));
    let steps = Taken::ALL.map(|step| TimelineStep { step: step.into(), at: at(step) }).into();
    let trace_id = story.as_ref().map(|story| story.trace_id.to_string());
    Ok(HttpResponse::Ok().json(Timeline { booking_id, trace_id, steps }))
}
