//! The URL table. Everything a client can ask stands on this screen.

pub mod bookings;
pub mod error;
pub mod events;
pub mod timeline;

use apidocs::{
    limits::{key, number, page, text},
    page::Docs,
};
use std::sync::Arc;

use actix_web::web;
use trace::Stories;
use utoipa::{Modify, OpenApi, openapi};
use webserver::routes::resource;

use crate::{
    domain::{KEY_MAX, SEATS_MAX, USER_ID_MAX},
    metrics::BookingMetrics,
    store::Store,
};

/// What the handlers share.
pub struct Context {
    /// Where bookings are.
    pub store: Arc<dyn Store>,
    /// What the handlers count.
    pub metrics: BookingMetrics,
    /// What happened to the last requests.
    pub stories: Stories,
}

/// Registers the URLs.
pub fn configure(app: &mut web::ServiceConfig, context: &web::Data<Context>, docs: &Docs) {
    app.app_data(context.clone())
        .service(resource("/events/{id}").get(events::show).done())
        .service(resource("/events/{id}/bookings").get(bookings::list).post(bookings::create).done())
        .service(resource("/bookings/{id}").get(bookings::show).delete(bookings::cancel).done())
        .service(resource("/bookings/{id}/timeline").get(timeline::show).done());
    docs.configure(app);
}

/// The OpenAPI document, from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(title = "MyEvents: booking service", description = "Books seats of events, and cancels bookings."),
    paths(events::show, bookings::create, bookings::list, bookings::show, bookings::cancel, timeline::show),
    modifiers(&Limits)
)]
pub struct Api;

/// Writes the numbers of the rules in `domain` into the document.
struct Limits;

impl Modify for Limits {
    fn modify(&self, api: &mut openapi::OpenApi) {
        number(api, "BookingBody", "seats", SEATS_MAX);
        text(api, "BookingBody", "user_id", USER_ID_MAX);
        key(api, "/events/{id}/bookings", "Idempotency-Key", KEY_MAX);
        page(api, "/events/{id}/bookings");
    }
}
