//! Writes limits into an OpenAPI document from the constants that the validation uses, since utoipa's attributes take only literals.
//! Each function panics where the document has no such field: a test that makes the document finds a wrong name.

use serde_json::json;
use utoipa::{
    Number,
    openapi::{OpenApi, RefOr, Schema, schema::Object},
};

use crate::page::{LIMIT_DEFAULT, LIMIT_MAX};

/// A text in a body has 1 to `max` characters.
pub fn text(api: &mut OpenApi, body: &str, field: &str, max: usize) {
    let text = object(property(api, body, field));
    (text.min_length, text.max_length) = (Some(1), Some(max));
}

/// A number in a body is 1 to `max`.
pub fn number(api: &mut OpenApi, body: &str, field: &str, max: i64) {
    let number = object(property(api, body, field));
    (number.minimum, number.maximum) = (Some(Number::from(1_i64)), Some(Number::from(max)));
}

/// A list in a body has at most `max` items.
pub fn items(api: &mut OpenApi, body: &str, field: &str, max: usize) {
    let RefOr::T(Schema::Array(list)) = property(api, body, field) else { panic!("{field} of {body} is no list") };
    list.max_items = Some(max);
}

/// A text in a query has 1 to `max` characters.
pub fn query_text(api: &mut OpenApi, path: &str, name: &str, max: usize) {
    let text = object(parameter(api, path, name));
    (text.min_length, text.max_length) = (Some(1), Some(max));
}

/// The parameter `limit` of a list.
pub fn page(api: &mut OpenApi, path: &str) {
    let limit = object(parameter(api, path, "limit"));
    (limit.minimum, limit.maximum) = (Some(Number::from(1_usize)), Some(Number::from(LIMIT_MAX)));
    limit.default = Some(json!(LIMIT_DEFAULT));
}

fn property<'a>(api: &'a mut OpenApi, body: &str, field: &str) -> &'a mut RefOr<Schema> {
    let body_schema = api.components.as_mut().and_then(|components| components.schemas.get_mut(body));
    let Some(RefOr::T(Schema::Object(body_schema))) = body_schema else { panic!("there is no body {body}") };
    body_schema.properties.get_mut(field).unwrap_or_else(|| panic!("{body} has no field {field}"))
}

fn parameter<'a>(api: &'a mut OpenApi, path: &str, name: &str) -> &'a mut RefOr<Schema> {
    let get = api.paths.paths.get_mut(path).and_then(|path| path.get.as_mut());
    let parameters = get.and_then(|get| get.parameters.as_mut()).into_iter().flatten();
    let mut found = parameters.filter_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.name == name => parameter.schema.as_mut(),
        RefOr::T(_) | RefOr::Ref(_) => None,
    });
    found.next().unwrap_or_else(|| panic!("GET {path} has no parameter {name}"))
}

fn object(schema: &mut RefOr<Schema>) -> &mut Object {
    let RefOr::T(Schema::Object(object)) = schema else { panic!("not the schema of a text or a number") };
    object
}
