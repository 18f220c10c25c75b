//! A JSON body: with a deadline, a largest size, and an error that names the field.

use std::{future::Future, pin::Pin, time::Duration};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    dev::Payload,
    http::{StatusCode, header},
    web,
};
use futures_util::StreamExt;
use serde::de::DeserializeOwned;

use super::field_error::field_error;
use crate::{
    object::Object,
    problem::{Problem, Rejection},
};

/// The largest body, in bytes, if a handler sets no other limit.
pub const BODY_MAX: usize = 64 * 1024;

/// A body must be complete within this time.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);

const BROKEN: &str = "it breaks off, or its chunks are malformed";

/// The size of the body that was read; the middleware measures it.
pub(crate) struct BodySize(pub(crate) usize);

/// A JSON body of at most `MAX` bytes.
pub struct Json<T, const MAX: usize = BODY_MAX>(pub T);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Json<T, MAX> {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            is_json(&request)?;
            let body = tokio::time::timeout(BODY_DEADLINE, read(&request, payload, MAX)).await.map_err(|_| {
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

async fn read(request: &HttpRequest, mut payload: Payload, max: usize) -> Result<web::BytesMut, Problem> {
    let too_large = || {
        let detail = format!("the body must not be larger than {max} bytes");
        let problem = Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "body-too-large", "The body is too large", detail);
        problem.rejected(Rejection::BodyTooLarge).close()
    };
    let announced = request.headers().get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > max as u64) {
        return Err(too_large());
    }
    let mut body = web::BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| Problem::bad_request("body", BROKEN).close())?;
        if body.len() + piece.len() > max {
            return Err(too_large());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body)
}

fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Problem> {
    if body.is_empty() {
        return Err(Problem::bad_request("body", "empty: send a JSON object"));
    }
    if let Err(cause) = std::str::from_utf8(body) {
        return Err(Problem::bad_request("body", format!("not UTF-8: {cause}")));
    }
    let mut json = serde_json::Deserializer::from_slice(body);
    let Object(value) = serde_path_to_error::deserialize(&mut json).map_err(|error| {
        let (path, cause) = (error.path().to_string(), error.inner().to_string());
        field_error(&path, &cause, "body")
    })?;
    json.end().map_err(|cause| Problem::bad_request("body", format!("there is something after the JSON: {cause}")))?;
    Ok(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        name: String,
        #[serde(deserialize_with = "crate::object::objects")]
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
            let problem = format!("{problem:?}");
            assert!(problem.contains(&format!("field: {field:?}")), "{body}: {problem}");
        }
    }
}
