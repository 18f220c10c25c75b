//! Creating and finding locations.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use apidocs::responses::{BodyProblems, CommonProblems, InvalidValue, NotFound};
use paging::Cursor;
use serde::Deserialize;
use utoipa::IntoParams;
use webserver::{
    input::{Id, Json, NoQuery, Query, origin},
    page::{self, Page},
    problem::Problem,
};

use super::{Context, bodies::LocationBody, error};
use crate::{
    domain::{Location, LocationRecord},
    store::Unavailable,
};

/// Creates a location.
#[utoipa::path(
    post,
    path = "/locations",
    request_body = LocationBody,
    responses(
        (status = 201, body = LocationRecord, headers(("Location" = String, description = "the location"))),
        CommonProblems, BodyProblems,
    )
)]
pub async fn create(
    context: web::Data<Context>,
    request: HttpRequest,
    _: NoQuery,
    body: Json<LocationBody>,
) -> Result<HttpResponse, Problem> {
    let location = Location::new(body.0.into())?;
    let stored = context.store.create_location(location.clone(), origin(&request)).await;
    stored.map_err(|cause| error::not_written(cause, "location_id", location.id()))?;
    Ok(HttpResponse::Created()
        .insert_header((header::LOCATION, format!("/locations/{}", location.id())))
        .json(location))
}

/// A location.
#[utoipa::path(
    get,
    path = "/locations/{id}",
    params(("id" = uuid::Uuid, Path, description = "the location")),
    responses(
        (status = 200, body = LocationRecord),
        CommonProblems, NotFound,
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let location = context.store.location(id.0).await.map_err(Unavailable::not_read)?;
    let missing = || Problem::not_found(format!("there is no location {}", id.0));
    Ok(HttpResponse::Ok().json(location.ok_or_else(missing)?))
}

/// Where the page begins.
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

/// Locations, in the order they were created.
#[utoipa::path(
    get,
    path = "/locations",
    params(ListQuery),
    responses(
        (status = 200, body = Page<LocationRecord>),
        CommonProblems, InvalidValue,
    )
)]
pub async fn list(context: web::Data<Context>, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let after = page::after(query.0.after.as_deref())?;
    let limit = page::limit(query.0.limit.as_deref())?;
    let locations = context.store.locations(after, limit + 1).await.map_err(Unavailable::not_read)?;
    let position = |location: &Location| Cursor { number: 0, id: location.id() };
    Ok(HttpResponse::Ok().json(Page::cut(locations, limit, position)))
}
