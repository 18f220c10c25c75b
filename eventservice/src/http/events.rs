//! Creating and finding events.

use actix_web::{HttpRequest, HttpResponse, http::header, web};
use apidocs::responses::{BodyProblems, CommonProblems, InvalidValue, NotFound};
use contracts::Instant;
use serde::Deserialize;
use utoipa::IntoParams;
use webserver::{
    input::{Id, Json, NoQuery, Query, origin, uuid},
    page::{self, Page},
    problem::{FieldError, Problem, ProblemBody},
};

use super::{Context, bodies::EventBody, error};
use crate::{
    domain::{Event, EventRecord, NAME_MAX},
    store::{Filter, Unavailable, position},
};

/// Creates an event. The booking service hears of it a moment later.
#[utoipa::path(
    post,
    path = "/events",
    request_body = EventBody,
    responses(
        (status = 201, body = EventRecord, headers(("Location" = String, description = "the event"))),
        CommonProblems, BodyProblems,
        (status = 422, description = "a value breaks a rule, or the location is not there", body = ProblemBody,
            content_type = "application/problem+json"),
    )
)]
pub async fn create(
    context: web::Data<Context>,
    request: HttpRequest,
    _: NoQuery,
    body: Json<EventBody>,
) -> Result<HttpResponse, Problem> {
    let event = Event::new(body.0.into())?;
    let stored = context.store.create_event(event.clone(), origin(&request)).await;
    stored.map_err(|cause| error::not_written(cause, "event_id", event.id()))?.map_err(error::unknown_location)?;
    Ok(HttpResponse::Created().insert_header((header::LOCATION, format!("/events/{}", event.id()))).json(event))
}

/// An event, with its seats as far as this service has heard.
#[utoipa::path(
    get,
    path = "/events/{id}",
    params(("id" = uuid::Uuid, Path, description = "the event")),
    responses(
        (status = 200, body = EventRecord),
        CommonProblems, NotFound,
    )
)]
pub async fn show(context: web::Data<Context>, id: Id, _: NoQuery) -> Result<HttpResponse, Problem> {
    let event = context.store.event(id.0).await.map_err(Unavailable::not_read)?;
    let missing = || Problem::not_found(format!("there is no event {}", id.0));
    Ok(HttpResponse::Ok().json(event.ok_or_else(missing)?))
}

/// Which events, and where the page begins.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// The name begins with this, small or capital.
    name: Option<String>,
    /// It takes place there.
    #[param(value_type = Option<uuid::Uuid>)]
    location_id: Option<String>,
    /// It begins then or later.
    #[param(value_type = Option<String>, format = DateTime)]
    from: Option<String>,
    /// It begins before.
    #[param(value_type = Option<String>, format = DateTime)]
    to: Option<String>,
    /// The `next` of the page before.
    after: Option<String>,
    /// Items of the page.
    #[param(value_type = Option<u32>)]
    limit: Option<String>,
}

impl ListQuery {
    fn filter(&self) -> Result<Filter, Problem> {
        if self.name.as_ref().is_some_and(|name| name.is_empty() || name.chars().count() > NAME_MAX) {
            let detail = format!("must be 1 to {NAME_MAX} characters");
            return Err(Problem::invalid(vec![FieldError { field: "name".into(), detail }]));
        }
        Ok(Filter {
            name: self.name.clone(),
            location_id: self.location_id.as_deref().map(|text| uuid(text, "location_id")).transpose()?,
            from: instant(self.from.as_deref(), "from")?,
            to: instant(self.to.as_deref(), "to")?,
        })
    }
}

fn instant(text: Option<&str>, field: &str) -> Result<Option<Instant>, Problem> {
    let Some(text) = text else { return Ok(None) };
    text.parse().map(Some).map_err(|cause| {
        let plus = if text.contains(' ') { "; in a URL a + must be written %2B" } else { "" };
        Problem::bad_request(field, format!("{cause}{plus}"))
    })
}

/// Events, ordered by the time they begin.
#[utoipa::path(
    get,
    path = "/events",
    params(ListQuery),
    responses(
        (status = 200, body = Page<EventRecord>),
        CommonProblems, InvalidValue,
    )
)]
pub async fn list(context: web::Data<Context>, query: Query<ListQuery>) -> Result<HttpResponse, Problem> {
    let filter = query.0.filter()?;
    let after = page::after(query.0.after.as_deref())?;
    let limit = page::limit(query.0.limit.as_deref())?;
    let events = context.store.events(filter, after, limit + 1).await.map_err(Unavailable::not_read)?;
    Ok(HttpResponse::Ok().json(Page::cut(events, limit, position)))
}
