//! Reading a request: JSON body, query, ids and headers. Every error is a [`Problem`] that names the field.
//!
//! actix's own extractors answer in their own way, take a body without a deadline and let unknown parameters pass, so
//! these stand in their place.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt;
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, Error as _},
};
use uuid::Uuid;

use super::object::Object;
use crate::problem::{Problem, Rejection};

/// The largest body, in bytes.
pub const BODY_MAX: usize = 64 * 1024;

/// A body must be complete within this time, however small its pieces.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The size of the body that was read; the middleware measures it.
pub(crate) struct BodySize(pub(crate) usize);

/// A JSON body.
pub struct Json<T>(pub T);

impl<T: DeserializeOwned + 'static> FromRequest for Json<T> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            is_json(&request)?;
            let body = tokio::time::timeout(BODY_DEADLINE, read(&request, payload)).await.map_err(|_| {
                let detail = format!("the body did not arrive within {} s", BODY_DEADLINE.as_secs());
                let title = "The request took too long";
                let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", title, detail);
                problem.rejected(Rejection::Timeout).close()
            })??;
            request.extensions_mut().insert(BodySize(body.len()));
            parse(&body).map(Json)
        })
    }
}

fn is_json(request: &HttpRequest) -> Result<(), Problem> {
    let unsupported = |detail: &str| {
        let title = "The body is of a type that is not read here";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail);
        problem.rejected(Rejection::BadRequest)
    };
    let utf8 = |mime: &actix_web::mime::Mime| mime.get_param("charset").is_none_or(|set| set == "utf-8");
    match request.mime_type() {
        Ok(Some(mime)) if mime.essence_str() == "application/json" && utf8(&mime) => {}
        _ => return Err(unsupported("send JSON in UTF-8, with the header `Content-Type: application/json`")),
    }
    match request.headers().get(header::CONTENT_ENCODING) {
        None => Ok(()),
        Some(encoding) if encoding == "identity" => Ok(()),
        Some(_) => Err(unsupported("send the body without Content-Encoding")),
    }
}

async fn read(request: &HttpRequest, mut payload: Payload) -> Result<web::BytesMut, Problem> {
    let too_large = || {
        let detail = format!("the body must not be larger than {BODY_MAX} bytes");
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail);
        problem.rejected(Rejection::BodyTooLarge).close()
    };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > BODY_MAX as u64) {
        return Err(too_large());
    }
    let mut body = web::BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece =
            piece.map_err(|cause| Problem::bad_request("body", format!("the body breaks off: {cause}")).close())?;
        if body.len() + piece.len() > BODY_MAX {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() {
        return Err(Problem::bad_request("body", "the body is empty: send a JSON object"));
    }
    if let Err(cause) = std::str::from_utf8(body) {
        return Err(Problem::bad_request("body", format!("the body is not UTF-8: {cause}")));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.inner().to_string());
        named(&path, &cause, "body")
    })?;
    json.end().map_err(|cause| Problem::bad_request("body", format!("there is something after the JSON: {cause}")))?;
    Ok(value)
}

/// serde names a missing, unknown or duplicate field in the message, and the place of any other error in the path.
fn named(path: &str, cause: &str, whole: &str) -> Problem {
    let quoted = ["missing field `", "unknown field `", "duplicate field `"]
        .iter()
        .find_map(|start| cause.strip_prefix(start)?.split_once('`').map(|(field, _)| field))
        .filter(|field| !field.is_empty());
    let outer = path.trim_end_matches(['.', '?']); // "." is the whole, "?" a key that broke off
    let field = match quoted {
        Some(field) if outer == field || outer.ends_with(&format!(".{field}")) => outer.to_owned(),
        Some(field) if outer.is_empty() => field.to_owned(),
        Some(field) => format!("{outer}.{field}"),
        None if outer.is_empty() => whole.to_owned(),
        None => outer.to_owned(),
    };
    let detail = if quoted.is_some() { cause.to_owned() } else { format!("{field}: {cause}") };
    Problem::bad_request(&field, detail)
}

/// The query, read into a struct whose fields are `Option<String>`s and which denies unknown fields. What the texts
/// mean is the domain's to say, with an error that names the parameter.
pub struct Query<T>(pub T);

impl<T: DeserializeOwned> FromRequest for Query<T> {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse_query(request.query_string()).map(Query))
    }
}

fn parse_query<T: DeserializeOwned>(query: &str) -> Result<T, Problem> {
    // serde_urlencoded would replace what is no UTF-8; a replaced filter finds the wrong things.
    if !decodes(query) {
        return Err(Problem::bad_request("query", "the query is not percent-encoded UTF-8"));
    }
    serde_urlencoded::from_str(query).map_err(|cause| named(".", &cause.to_string(), "query"))
}

/// Whether the percent-decoded text is UTF-8, without a bare `%`.
fn decodes(text: &str) -> bool {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, tail)) = rest.split_first() {
        rest = tail;
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let Some(hex) = tail.get(..2).and_then(|hex| std::str::from_utf8(hex).ok()) else { return false };
        let Some(byte) = u8::from_str_radix(hex, 16).ok().filter(|_| !hex.starts_with('+')) else { return false };
        bytes.push(byte);
        rest = &tail[2..];
    }
    std::str::from_utf8(&bytes).is_ok()
}

/// For routes without query parameters: any is refused, so that a typo is not taken for a filter.
pub struct NoQuery;

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl FromRequest for NoQuery {
    type Error = Problem;
    type Future = std::future::Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        std::future::ready(parse_query::<Nothing>(request.query_string()).map(|_| Self))
    }
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

/// Reads a UUID with hyphens, the only form that is ever sent.
pub fn uuid(text: &str, field: &str) -> Result<Uuid, Problem> {
    hyphenated(text).ok_or_else(|| Problem::bad_request(field, format!("{field}: {NO_UUID}")))
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

/// A header that may be given once, as visible ASCII of at most `max` characters.
pub fn header_text<'r>(request: &'r HttpRequest, name: &'static str, max: usize) -> Result<Option<&'r str>, Problem> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::bad_request(name, format!("{name}: the header is there twice: send it once")));
    }
    let text = value.to_str().ok().filter(|t| (1..=max).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()));
    let right = || format!("{name}: must be 1 to {max} visible ASCII characters without spaces");
    text.map(Some).ok_or_else(|| Problem::bad_request(name, right()))
}

/// The W3C `traceparent` of a request, to be carried on with its messages; a malformed one is ignored, as the
/// specification wants.
pub fn traceparent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get("traceparent")?.to_str().ok()?;
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let known = parts.len() == 4 && parts[0] == "00" && hex(parts[1], 32) && hex(parts[2], 16) && hex(parts[3], 2);
    known.then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        name: String,
        #[serde(deserialize_with = "crate::http::object::objects")]
        halls: Vec<Inner>,
    }

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Inner {
        capacity: i64,
    }

    #[test]
    fn an_error_in_a_body_names_its_field() {
        for (body, field) in [
            (r#"{"halls":[]}"#, "name"),
            (r#"{"name":1,"halls":[]}"#, "name"),
            (r#"{"name":"a","halls":[{"capacity":1},{"capacity":"x"}]}"#, "halls[1].capacity"),
            (r#"{"name":"a","halls":[{}]}"#, "halls[0].capacity"),
            (r#"{"name":"a","halls":[{"capacity":1,"size":2}]}"#, "halls[0].size"),
            (r#"{"name":"a","name":"b","halls":[]}"#, "name"),
            (r#"{"name":"a","halls":[],"x":1}"#, "x"),
            (r#"{"name":"a""#, "body"),
            (r#"{"name":"a","halls":[]} true"#, "body"),
            ("", "body"),
            (r#"["a",[]]"#, "body"),
            (r#"{"":1}"#, "body"),
            (r#"{"name":"a","halls":[[1]]}"#, "halls[0]"),
        ] {
            let problem = parse::<Outer>(body.as_bytes()).unwrap_err();
            let told = format!("{problem:?}");
            assert!(told.contains(&format!("field: {field:?}")), "{body}: {told}");
        }
    }

    #[test]
    fn a_query_that_is_no_utf_8_or_has_a_bare_percent_sign_is_refused() {
        assert!(decodes("name=a%20b&x=%C3%A4"));
        for query in ["name=%FF", "name=%", "name=%4", "name=%zz", "name=%+1"] {
            assert!(!decodes(query), "{query}");
        }
    }
}
