//! The URL table. Everything a client can ask stands on this screen.

pub mod bodies;
pub mod error;
pub mod events;
pub mod locations;

use apidocs::{
    limits::{items, number, page, query_text, text},
    page::Docs,
};
use std::sync::Arc;

use actix_web::web;
use utoipa::{Modify, OpenApi, openapi};
use webserver::{problem::ProblemBody, routes::resource};

use crate::{
    domain::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX},
    store::Store,
};

/// What the handlers share.
pub struct Context {
    /// Where events and locations are.
    pub store: Arc<dyn Store>,
}

/// Registers the URLs.
pub fn configure(app: &mut web::ServiceConfig, context: &web::Data<Context>, docs: &Docs) {
    app.app_data(context.clone())
        .service(resource("/events").get(events::list).post(events::create).done())
        .service(resource("/events/{id}").get(events::show).done())
        .service(resource("/locations").get(locations::list).post(locations::create).done())
        .service(resource("/locations/{id}").get(locations::show).done());
    docs.configure(app);
}

/// The OpenAPI document, from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(
        title = "MyEvents: event service",
        description = "Keeps events and the locations where they take place. Instants are those of RFC 3339 from 0000-01-01T00:00:00Z to \
                       9999-12-30T22:00:00Z, without leap seconds."
    ),
    paths(events::create, events::list, events::show, locations::create, locations::list, locations::show),
    components(schemas(ProblemBody)),
    modifiers(&Limits)
)]
pub struct Api;

/// Writes the numbers of the rules in `domain` into the document.
struct Limits;

impl Modify for Limits {
    fn modify(&self, api: &mut openapi::OpenApi) {
        for body in ["EventBody", "LocationBody", "HallBody"] {
            text(api, body, "name", NAME_MAX);
        }
        for field in ["address", "country"] {
            text(api, "LocationBody", field, TEXT_MAX);
        }
        for body in ["EventBody", "HallBody"] {
            number(api, body, "capacity", CAPACITY_MAX);
        }
        items(api, "LocationBody", "halls", HALLS_MAX);
        query_text(api, "/events", "name", NAME_MAX);
        page(api, "/events");
        page(api, "/locations");
    }
}
