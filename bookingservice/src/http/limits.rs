//! The limits in the OpenAPI document: the numbers of the rules in `domain`.

use utoipa::{Modify, openapi::OpenApi};
use webserver::limits::{number, page, text};

use crate::domain::{SEATS_MAX, USER_ID_MAX};

/// Writes them into the document.
pub(super) struct Limits;

impl Modify for Limits {
    fn modify(&self, api: &mut OpenApi) {
        number(api, "BookingBody", "seats", SEATS_MAX);
        text(api, "BookingBody", "user_id", USER_ID_MAX);
        page(api, "/events/{id}/bookings");
    }
}
