//! Writes limits into an OpenAPI document from the constants that the validation uses, since utoipa's attributes take only literals.
//! Each function panics where the document has no such field: a test that makes the document finds a wrong name.

use serde_json::json;
use utoipa::{
    Number,
    openapi::{
        OpenApi, RefOr, Schema,
        path::Operation,
        schema::{Object, Type},
    },
};

use webserver::page::{LIMIT_DEFAULT, LIMIT_MAX};

/// No control characters, as a regular expression of JSON Schema.
const NO_CONTROL: &str = r"^[^\u0000-\u001f\u007f-\u009f]*$";

/// What no regular expression says that every reader of a schema knows.
const VISIBLE: &str = "At least one visible character: a letter, digit, punctuation mark or symbol.";

/// A text in a body has 1 to `max` characters, and is readable: see `contracts/src/text.rs`.
pub fn text(api: &mut OpenApi, body: &str, field: &str, max: usize) {
    let text = object(property(api, body, field));
    (text.min_length, text.max_length) = (Some(1), Some(max));
    text.pattern = Some(NO_CONTROL.to_owned());
    text.description = Some([text.description.as_deref().unwrap_or_default(), VISIBLE].join(" "));
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

/// The parameters `limit` and `after` of a list.
pub fn page(api: &mut OpenApi, path: &str) {
    let after = object(parameter(api, path, "after"));
    (after.min_length, after.pattern) = (Some(1), Some("^[0-9A-Fa-f]{48}$".to_owned()));
    let limit = object(parameter(api, path, "limit"));
    (limit.minimum, limit.maximum) = (Some(Number::from(1_usize)), Some(Number::from(LIMIT_MAX)));
    limit.default = Some(json!(LIMIT_DEFAULT));
}

/// The key of a `POST`, in a header: 1 to `max` visible characters of ASCII, bare or as a quoted string.
pub fn key(api: &mut OpenApi, path: &str, name: &str, max: usize) {
    let post = api.paths.paths.get_mut(path).and_then(|path| path.post.as_mut());
    let schema = object(named(post, name).unwrap_or_else(|| panic!("POST {path} has no parameter {name}")));
    let (bare, inner) = (format!("[!#-~]([!-~]{{0,{}}}[!#-~])?", max - 2), r#"[!#-\[\]-~]|\\["\\]"#);
    schema.schema_type = Type::String.into();
    schema.pattern = Some(format!("^({bare}|\"({inner}){{1,{max}}}\")$"));
}

fn property<'a>(api: &'a mut OpenApi, body: &str, field: &str) -> &'a mut RefOr<Schema> {
    let body_schema = api.components.as_mut().and_then(|components| components.schemas.get_mut(body));
    let Some(RefOr::T(Schema::Object(body_schema))) = body_schema else { panic!("there is no body {body}") };
    body_schema.properties.get_mut(field).unwrap_or_else(|| panic!("{body} has no field {field}"))
}

fn parameter<'a>(api: &'a mut OpenApi, path: &str, name: &str) -> &'a mut RefOr<Schema> {
    let get = api.paths.paths.get_mut(path).and_then(|path| path.get.as_mut());
    named(get, name).unwrap_or_else(|| panic!("GET {path} has no parameter {name}"))
}

fn named<'a>(operation: Option<&'a mut Operation>, name: &str) -> Option<&'a mut RefOr<Schema>> {
    let mut parameters = operation?.parameters.as_mut()?.iter_mut();
    parameters.find_map(|parameter| match parameter {
        RefOr::T(parameter) if parameter.name == name => parameter.schema.as_mut(),
        RefOr::T(_) | RefOr::Ref(_) => None,
    })
}

fn object(schema: &mut RefOr<Schema>) -> &mut Object {
    let RefOr::T(Schema::Object(object)) = schema else { panic!("not the schema of a text or a number") };
    object
}
