//! The limits in the OpenAPI document: the numbers of the rules in `domain`.

use utoipa::{Modify, openapi::OpenApi};
use webserver::limits::{items, number, page, query_text, text};

use crate::domain::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX};

/// Writes them into the document.
pub(super) struct Limits;

impl Modify for Limits {
    fn modify(&self, api: &mut OpenApi) {
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
