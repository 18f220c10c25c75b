//! The URL table. Everything a client can ask stands on this screen.

pub mod bookings;
pub mod error;
pub mod events;
mod limits;

use std::sync::Arc;

use actix_web::web;
use utoipa::OpenApi;
use webserver::{docs::Docs, routes::resource};

use self::limits::Limits;
use crate::{metrics::BookingMetrics, store::Store};

/// What the handlers share.
pub struct Context {
    /// Where bookings are.
    pub store: Arc<dyn Store>,
    /// What the handlers count.
    pub metrics: BookingMetrics,
}

/// Registers the URLs.
pub fn configure(app: &mut web::ServiceConfig, context: &web::Data<Context>, docs: &Docs) {
    app.app_data(context.clone())
        .service(resource("/events/{id}").get(events::show).done())
        .service(resource("/events/{id}/bookings").get(bookings::list).post(bookings::create).done())
        .service(resource("/bookings/{id}").get(bookings::show).delete(bookings::cancel).done());
    docs.configure(app);
}

/// The OpenAPI document, from the handlers.
#[derive(OpenApi)]
#[openapi(
    info(title = "MyEvents: booking service", description = "Books seats of events, and cancels bookings."),
    paths(events::show, bookings::create, bookings::list, bookings::show, bookings::cancel),
    modifiers(&Limits)
)]
pub struct Api;
