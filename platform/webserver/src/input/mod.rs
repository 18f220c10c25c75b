//! Extractors for a request: JSON body, query, ids and headers. Every error is a [`Problem`] that names
//! the field.
//!
//! They replace actix's own extractors, which have other error bodies, read a body without a deadline and accept unknown
//! parameters. Read next: `body.rs`.

mod body;

use std::{borrow::Cow, cmp::Ordering};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_TYPE, HeaderMap},
};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error, Unexpected},
};
use serde_json::value::RawValue;
use trace::{Origin, Traced};
use uuid::Uuid;

use crate::problem::{Problem, field_error};

pub use body::{BODY_DEADLINE, BODY_MAX, Json, JsonText, objects};
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

/// What a request hands on to what it stores: its story, and the `traceparent` of its messages. `None` where requests are not traced.
pub fn origin(request: &HttpRequest) -> Option<Origin> {
    request.extensions().get::<Traced>().expect("observe.rs puts it there").origin(traceparent(request.headers()))
}

/// The W3C `traceparent` of a request, as it was sent.
pub(crate) fn traceparent(headers: &HeaderMap) -> Option<&str> {
    headers.get("traceparent")?.to_str().ok()
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

/// For every whole number in a body. JSON has no integers, and JSON Schema calls each number one that has no fraction, `2.0` and `1e2`, too. It
/// is read as it was written, since floating point would make 2 of `2.00000000000000000001`.
pub fn whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    whole(<&RawValue>::deserialize(deserializer)?.get())
}

/// The same for one that may be absent.
pub fn optional_whole_number<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    Option::<&RawValue>::deserialize(deserializer)?.map(|json| whole(json.get())).transpose()
}

fn whole<E: Error>(json: &str) -> Result<i64, E> {
    let wrong = |is| E::invalid_type(Unexpected::Other(is), &"a whole number");
    match json.as_bytes().first() {
        Some(b'"') => Err(wrong("text")),
        Some(b'[') => Err(wrong("list")),
        Some(b'{') => Err(wrong("object")),
        Some(b'n') => Err(wrong("null")),
        Some(b't' | b'f') => Err(wrong("boolean")),
        _ => {
            let digits = shifted(json).ok_or_else(|| wrong("number with a fraction"))?;
            digits
                .parse()
                .map_err(|_| E::invalid_value(Unexpected::Other("number of more than 64 bits"), &"a smaller one"))
        }
    }
}

/// A JSON number without point and exponent; `None` where it has a fraction. One that is far too large stays too large.
fn shifted(number: &str) -> Option<String> {
    let (number, exponent) = number.split_once(['e', 'E']).unwrap_or((number, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let (sign, whole) = whole.strip_prefix('-').map_or(("", whole), |whole| ("-", whole));
    let digits = [whole, fraction].concat();
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some("0".to_owned());
    }
    // An exponent of more than 64 bits is as good as the largest.
    let far = if exponent.starts_with('-') { i64::MIN } else { i64::MAX };
    let exponent: i64 = exponent.parse().unwrap_or(far);
    let places = exponent.saturating_add_unsigned(whole.len() as u64).saturating_sub_unsigned(significant.len() as u64);
    match places.cmp(&0) {
        Ordering::Less => None,
        // More zeros than a 64-bit number has digits make no difference.
        Ordering::Equal | Ordering::Greater => {
            Some(format!("{sign}{significant}{}", "0".repeat(places.min(20) as usize)))
        }
    }
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

    #[test]
    fn a_number_without_a_fraction_is_whole_however_it_is_written() {
        for (json, number) in [
            ("2", 2),
            ("2.0", 2),
            ("2e0", 2),
            ("1e2", 100),
            ("1E+2", 100),
            ("1.5e1", 15),
            ("1500e-2", 15),
            ("0.02e2", 2),
            ("-0", 0),
            ("-0.0e-99999999999999999999", 0),
            ("0e99999999999999999999", 0),
            ("-3.00", -3),
            ("9007199254740993.0", 9_007_199_254_740_993),
            ("9223372036854775807.0", i64::MAX),
            ("-9.223372036854775808e18", i64::MIN),
        ] {
            assert_eq!(whole::<serde_json::Error>(json).unwrap(), number, "{json}");
        }
    }

    #[test]
    fn any_other_value_is_refused_with_what_it_is() {
        for (json, cause) in [
            ("2.5", "fraction"),
            ("2.00000000000000000001", "fraction"),
            ("15e-1", "fraction"),
            ("1e-400", "fraction"),
            ("1e-99999999999999999999", "fraction"),
            ("1e400", "64 bits"),
            ("-1e99999999999999999999", "64 bits"),
            ("9223372036854775808", "64 bits"),
            ("\"2\"", "text"),
            ("null", "null"),
            ("true", "boolean"),
            ("[2]", "list"),
            ("{}", "object"),
        ] {
            let error = whole::<serde_json::Error>(json).unwrap_err().to_string();
            assert!(error.contains(cause), "{json}: {error}");
        }
    }
}
