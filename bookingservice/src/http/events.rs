//! `GET /events/{id}`: what this service sells.

use actix_web::{HttpResponse, web};
use apidocs::responses::CommonProblems;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;
use webserver::{
    input::{Id, NoQuery},
    problem::{Problem, ProblemBody},
};

use super::{Context, error};
use crate::{
    domain::{Seats, SeatsRecord},
    store::Unavailable,
};

/// What this service knows of an event.
#[derive(Serialize, ToSchema)]
pub struct EventOnSale {
    /// The event.
    id: Uuid,
    /// Its name.
    name: String,
    /// How many seats it has; absent means unlimited.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    capacity: Option<u64>,
    /// How many can still be booked; absent where there is no capacity.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    seats_left: Option<u64>,
    /// Seats of all confirmed bookings.
    booked_seats: u64,
    /// Grows by one with each change of the seats.
    version: u64,
}

impl From<&Seats> for EventOnSale {
    fn from(seats: &Seats) -> Self {
        let SeatsRecord { event_id, event_name, capacity, booked, version, .. } = seats.record().clone();
        let seats_left = seats.left();
        Self { id: event_id, name: event_name, capacity, seats_left, booked_seats: booked, version }
    }
}

/// An event with the seats that are left.
#[utoipa::path(
    get,
    path = "/events/{id}",
    params(("id" = uuid::Uuid, Path, description = "the event")),
    responses(
        (status = 200, body = EventOnSale),
        CommonProblems,
        (status = 404, description = "unknown, or not heard of yet: ask again in a second", body = ProblemBody,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let seats = context.store.event(id.0).await.map_err(Unavailable::not_read)?;
    let seats = seats.ok_or_else(|| error::unknown_event(id.0))?;
    Ok(HttpResponse::Ok().json(EventOnSale::from(&seats)))
}
