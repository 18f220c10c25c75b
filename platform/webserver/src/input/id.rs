//! Ids: UUIDs with hyphens, the only form that a service sends.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::{Deserialize, Deserializer, de::Error as _};
use uuid::Uuid;

use crate::problem::Problem;

/// The `{id}` of a path: a UUID with hyphens.
pub struct Id(pub Uuid);

impl FromRequest for Id {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let text = request.match_info().get("id").unwrap_or_default();
        std::future::ready(uuid(text, "id").map(Self))
    }
}

/// Reads a UUID with hyphens.
pub fn uuid(text: &str, field: &str) -> Result<Uuid, Problem> {
    hyphenated(text).ok_or_else(|| Problem::bad_request(field, NO_UUID))
}

const NO_UUID: &str = "not a UUID like 01936c4e-7d00-7000-8000-000000000001";

fn hyphenated(text: &str) -> Option<Uuid> {
    Uuid::try_parse(text).ok().filter(|_| text.len() == uuid::fmt::Hyphenated::LENGTH)
}

/// For an optional UUID in a body: the same form as in a path, where serde would take others too.
pub fn optional_uuid<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Uuid>, D::Error> {
    let Some(text) = Option::<String>::deserialize(deserializer)? else { return Ok(None) };
    hyphenated(&text).map(Some).ok_or_else(|| D::Error::custom(NO_UUID))
}
