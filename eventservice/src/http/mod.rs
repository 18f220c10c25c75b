//! The URL table. Everything a client can ask stands on this screen.

pub mod error;
pub mod events;
mod limits;
pub mod locations;

use std::sync::Arc;

use actix_web::web;
use utoipa::OpenApi;
use webserver::{docs::Docs, problem::ProblemBody, routes::resource};

use self::limits::Limits;
use crate::store::Store;

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
    info(title = "MyEvents: event service", description = "Keeps events and the locations where they take place."),
    paths(events::create, events::list, events::show, locations::create, locations::list, locations::show),
    components(schemas(ProblemBody)),
    modifiers(&Limits)
)]
pub struct Api;
