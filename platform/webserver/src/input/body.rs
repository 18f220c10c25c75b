//! A request body: JSON with a deadline, a largest size, and errors that name the field; and what becomes of a body that no
//! handler has read to its end ([`SharedBody`]). Structs are read from JSON objects only ([`Object`]).

use std::{
    cell::{Cell, RefCell},
    fmt,
    marker::PhantomData,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll},
    time::Duration,
};

use actix_web::{
    FromRequest, HttpMessage, HttpRequest,
    body::{BodySize as AnswerSize, BoxBody, MessageBody},
    dev::{Payload, ServiceRequest, ServiceResponse},
    error::PayloadError,
    http::{StatusCode, header},
    web::{self, Bytes},
};
use futures_util::{FutureExt, Stream, StreamExt, future::LocalBoxFuture};
use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, MapAccess, Visitor, value::MapAccessDeserializer},
};

use crate::problem::{Problem, Rejection, field_error};

/// The largest body, in bytes, if a handler sets no other limit.
pub const BODY_MAX: usize = 64 * 1024;

/// A body must be complete within this time.
pub const BODY_DEADLINE: Duration = Duration::from_secs(10);

/// The size of the body that was read; the middleware measures it.
pub(crate) struct BodySize(pub(crate) usize);

/// A JSON body of at most `MAX` bytes.
pub struct Json<T, const MAX: usize = BODY_MAX>(pub T);

/// A JSON body of at most `MAX` bytes as it was sent, for somebody else to read.
pub struct JsonText<const MAX: usize = BODY_MAX>(pub web::Bytes);

impl<T: DeserializeOwned + 'static, const MAX: usize> FromRequest for Json<T, MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let text = JsonText::<MAX>::from_request(request, payload);
        Box::pin(async move { parse(&text.await?.0).map(Json) })
    }
}

impl<const MAX: usize> FromRequest for JsonText<MAX> {
    type Error = Problem;
    type Future = LocalBoxFuture<'static, Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let (request, payload) = (request.clone(), payload.take());
        Box::pin(async move {
            check_type(&request)?;
            let body = tokio::time::timeout(BODY_DEADLINE, read(&request, payload, MAX)).await.map_err(|_| {
                let detail = format!("the body did not arrive within {} s", BODY_DEADLINE.as_secs());
                let title = "The request took too long";
                let problem = Problem::new(StatusCode::REQUEST_TIMEOUT, "request-timeout", title, detail);
                problem.rejected(Rejection::Timeout).close()
            })??;
            request.extensions_mut().insert(BodySize(body.len()));
            Ok(Self(body.freeze()))
        })
    }
}

fn check_type(request: &HttpRequest) -> Result<(), Problem> {
    let unsupported = |detail: &str| {
        let title = "The body is of a type that is not read here";
        let problem = Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "unsupported-media-type", title, detail);
        problem.rejected(Rejection::BadRequest)
    };
    if !super::is_json(request) {
        return Err(unsupported("send JSON in UTF-8, with the header `Content-Type: application/json`"));
    }
    let mut encodings = request.headers().get_all(header::CONTENT_ENCODING).map(|value| value.to_str().unwrap_or("?"));
    if !encodings.all(|all| all.split(',').all(|one| one.trim().eq_ignore_ascii_case("identity"))) {
        return Err(unsupported("send the body without Content-Encoding"));
    }
    Ok(())
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
        let broken = |_| Problem::bad_request("body", "it breaks off, or its chunks are malformed").close();
        let piece = piece.map_err(broken)?;
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

/// A request body that no handler may have read to its end: for a wrong method, an unknown URL, a refused header.
///
/// If the rest of the body has arrived already, it is read and thrown away, and the connection goes on. Else the answer keeps the
/// body alive while it is sent, and actix closes the connection after the answer.
///
/// **Workaround for actix-http 3.20.** If the payload is dropped, actix answers `Connection: close` and still handles the requests
/// behind it (<https://github.com/actix/actix-web/issues/2764>), and it reads a dropped chunked body for as long as the client
/// sends (<https://github.com/actix/actix-web/pull/3936>). Only while a payload is alive, it closes the connection after the
/// answer (<https://github.com/actix/actix-web/pull/3721>). This can go when it does so for a dropped payload, too.
#[derive(Clone)]
pub(crate) struct SharedBody(Rc<Body>);

struct Body {
    payload: RefCell<Payload>,
    ended: Cell<bool>,
}

impl SharedBody {
    /// Takes the body of a request, if there is one, and gives the request a share of it.
    pub(crate) fn share(request: &mut ServiceRequest) -> Option<Self> {
        let payload = request.take_payload();
        if matches!(payload, Payload::None) {
            return None;
        }
        let body = Self(Rc::new(Body { payload: RefCell::new(payload), ended: Cell::new(false) }));
        request.set_payload(Payload::Stream { payload: Box::pin(body.clone()) });
        Some(body)
    }

    /// Reads what is left of the body, if there is one, or makes the answer keep it alive.
    pub(crate) async fn attach(body: Option<Self>, response: ServiceResponse) -> ServiceResponse {
        let Some(mut request_body) = body else { return response };
        if request_body.drain().await {
            return response;
        }
        response.map_body(|_, answer| BoxBody::new(AnswerWithBody { answer, _request_body: request_body }))
    }

    /// Reads what the server has received of the body; says whether it ends there. actix decodes more of what it has received
    /// when this task pauses once.
    async fn drain(&mut self) -> bool {
        let (mut read, mut paused) = (0, false);
        while !self.0.ended.get() && read <= BODY_MAX {
            match self.next().now_or_never() {
                Some(Some(Ok(piece))) => (read, paused) = (read + piece.len(), false),
                Some(_) => {}
                None if paused => return false,
                None => {
                    paused = true;
                    tokio::task::yield_now().await;
                }
            }
        }
        self.0.ended.get()
    }
}

impl Stream for SharedBody {
    type Item = Result<Bytes, PayloadError>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let polled = Pin::new(&mut *self.0.payload.borrow_mut()).poll_next(cx);
        if let Poll::Ready(None | Some(Err(_))) = polled {
            self.0.ended.set(true);
        }
        polled
    }
}

/// The body of an answer that keeps the body of its request alive.
struct AnswerWithBody {
    answer: BoxBody,
    _request_body: SharedBody,
}

impl MessageBody for AnswerWithBody {
    type Error = <BoxBody as MessageBody>::Error;

    fn size(&self) -> AnswerSize {
        self.answer.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.answer).poll_next(cx)
    }
}

/// A struct that was read from a JSON object. Without this, a list of the fields in their order would be accepted, too: `[2]` for
/// `{"size": 2}`.
///
/// **Workaround for serde** (<https://github.com/serde-rs/serde/issues/1587>, open). It can go when a derived struct can refuse
/// lists.
pub(crate) struct Object<T>(pub(crate) T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields(PhantomData)).map(Self)
    }
}

/// For `#[serde(deserialize_with = …)]` on a list of structs.
pub fn objects<'de, T: Deserialize<'de>, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<T>, D::Error> {
    let list = Vec::<Object<T>>::deserialize(deserializer)?;
    Ok(list.into_iter().map(|object| object.0).collect())
}

struct Fields<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Fields<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, fields: A) -> Result<T, A::Error> {
        T::deserialize(MapAccessDeserializer::new(fields))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, serde::Deserialize)]
    #[serde(deny_unknown_fields)]
    #[expect(dead_code, reason = "only its shape matters")]
    struct Outer {
        name: String,
        #[serde(deserialize_with = "objects")]
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
