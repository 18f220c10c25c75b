//! Extractors for a request: JSON body, query, ids and headers. Every error is a [`Problem`] that names
//! the field.
//!
//! They replace actix's own extractors, which have other error bodies, read a body without a deadline and accept unknown
//! parameters. Read next: `body.rs`.

mod body;

use std::borrow::Cow;

use actix_web::{FromRequest, HttpRequest, dev::Payload, http::header::CONTENT_TYPE};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use uuid::Uuid;

use crate::problem::{Problem, field_error};

pub use body::{BODY_DEADLINE, BODY_MAX, Json, objects};
pub(crate) use body::{BodySize, SharedBody};

/// A key that may be given once, in the header `name`: at most `max` characters of visible ASCII, bare or as a quoted string of RFC 9651
/// (`"k1"`, in which `\"` and `\\` stand for `"` and `\`). Both forms give the same key.
pub fn key<'r>(request: &'r HttpRequest, name: &'static str, max: usize) -> Result<Option<Cow<'r, str>>, Problem> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::bad_request(name, "the header is there twice: send it once"));
    }
    let right = || format!("must be 1 to {max} visible ASCII characters without spaces, bare or as a quoted string");
    let key = value.to_str().ok().and_then(unquoted);
    let key = key.filter(|key| (1..=max).contains(&key.len()) && key.bytes().all(|b| b.is_ascii_graphic()));
    key.map(Some).ok_or_else(|| Problem::bad_request(name, right()))
}

/// The text within the quotes, or a text without them; `None` where it only begins or ends like a quoted string.
fn unquoted(text: &str) -> Option<Cow<'_, str>> {
    if !text.starts_with('"') && !text.ends_with('"') {
        return Some(text.into());
    }
    let mut plain = String::new();
    let mut rest = text.strip_prefix('"')?.strip_suffix('"')?.chars();
    while let Some(character) = rest.next() {
        plain.push(match character {
            '"' => return None,
            '\\' => rest.next().filter(|escaped| matches!(escaped, '"' | '\\'))?,
            other => other,
        });
    }
    Some(plain.into())
}

/// Whether the body is said to be JSON in UTF-8. Names and `charset` are compared without case, and spaces may stand around the `;`
/// (RFC 9110, 8.3.1), where actix's `mime_type` takes none.
pub fn is_json(request: &HttpRequest) -> bool {
    let text = request.headers().get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let mut parts = text.split(';').map(str::trim);
    let is_json = parts.next().is_some_and(|name| name.eq_ignore_ascii_case("application/json"));
    let is_utf_8 = |parameter: &str| match parameter.split_once('=') {
        Some((name, set)) if name.eq_ignore_ascii_case("charset") => {
            set.trim_matches('"').eq_ignore_ascii_case("utf-8")
        }
        Some(_) | None => true,
    };
    is_json && parts.all(is_utf_8)
}

/// The W3C `traceparent` of a request, which its messages carry on. A malformed one is ignored, as the specification demands
/// (<https://www.w3.org/TR/trace-context/>).
pub fn traceparent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get("traceparent")?.to_str().ok()?;
    let [version, trace, parent, flags] = text.split('-').collect::<Vec<_>>()[..] else { return None };
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let known = version == "00" && hex(trace, 32) && hex(parent, 16) && hex(flags, 2);
    known.then(|| text.to_owned())
}

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

/// The query, read into a struct whose fields are `Option<String>`s and which denies unknown fields. The domain parses the texts;
/// its errors name the parameter.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request.query_string()).map(Query))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    // serde_urlencoded replaces what is not UTF-8, as the URL standard wants it (https://url.spec.whatwg.org/#concept-urlencoded-parser).
    // A filter with a replaced character would find the wrong things.
    if !decodes(query) {
        return Err(Problem::bad_request("query", "not percent-encoded UTF-8"));
    }
    serde_urlencoded::from_str(query).map_err(|cause| field_error(".", &cause.to_string(), "query"))
}

/// Whether the percent-decoded text is UTF-8, without a bare `%`.
fn decodes(text: &str) -> bool {
    let mut parts = text.split('%');
    let mut bytes = parts.next().unwrap_or_default().as_bytes().to_vec();
    for part in parts {
        let Some((hex, rest)) = part.split_at_checked(2) else { return false };
        let Some(byte) = u8::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+')) else { return false };
        bytes.push(byte);
        bytes.extend(rest.as_bytes());
    }
    String::from_utf8(bytes).is_ok()
}

/// For routes without query parameters: any parameter is refused.
pub type NoQuery = Query<Nothing>;

/// No parameters.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Nothing {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_that_is_no_utf_8_or_has_a_bare_percent_sign_is_refused() {
        assert!(decodes("name=a%20b&x=%C3%A4"));
        for query in ["name=%FF", "name=%", "name=%4", "name=%zz", "name=%+1"] {
            assert!(!decodes(query), "{query}");
        }
    }
}
