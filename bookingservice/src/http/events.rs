//! `GET /events/{id}`: what this service sells.

use actix_web::{HttpResponse, web};
use webserver::{
    input::{Id, NoQuery},
    problem::{Problem, ProblemBody},
};

use super::{Context, error};
use crate::domain::EventOnSale;

/// An event with the seats that are left.
#[utoipa::path(
    get,
    path = "/events/{id}",
    params(("id" = uuid::Uuid, Path, description = "the event")),
    responses(
        (status = 200, body = EventOnSale),
        (status = 400, body = ProblemBody, content_type = "application/problem+json"),
        (status = 404, description = "unknown, or not heard of yet: ask again in a second", body = ProblemBody,
            content_type = "application/problem+json", headers(("Retry-After" = u32, description = "seconds"))),
        (status = 503, body = ProblemBody, content_type = "application/problem+json"),
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let event = context.store.event(id.0).await.map_err(error::not_read)?;
    Ok(HttpResponse::Ok().json(event.ok_or_else(|| error::unknown_event(id.0))?))
}
