//! The form of every error answer: `application/problem+json` (RFC 9457).
//!
//! A [`Problem`] holds what the caller may know. The cause of a 500 or a 503 is not in it: that is logged once, where the error is
//! handled.

use std::fmt;

use actix_web::{
    HttpResponse, ResponseError,
    http::{StatusCode, header},
};
use serde::{Serialize, Serializer};
use serde_json::{Map, Value};
use utoipa::ToSchema;

/// The longest detail, in characters; it can quote what the caller sent, up to 64 KiB.
const DETAIL_MAX: usize = 400;

/// The longest name of a field, in characters; it is a path into what the caller sent.
const FIELD_MAX: usize = 200;

/// The most errors in one answer.
const ERRORS_MAX: usize = 20;

fn cut(text: &mut String, max: usize) {
    if let Some((end, _)) = text.char_indices().nth(max) {
        text.truncate(end);
        text.push('…');
    }
}

/// The JSON of an error answer (RFC 9457).
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = Problem)]
pub struct ProblemBody {
    /// What kind of problem it is; stable, to be compared by programs.
    #[serde(rename = "type", serialize_with = "urn")]
    #[schema(example = "urn:myevents:problem:sold-out")]
    slug: &'static str,
    /// The kind in words; the same for each problem of a kind.
    title: &'static str,
    /// The HTTP status again.
    status: u16,
    /// What is wrong this time, and what would be right.
    detail: String,
    /// What is wrong with each field.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    #[schema(required = false)]
    errors: Vec<FieldError>,
    #[serde(flatten)]
    #[schema(ignore)]
    members: Map<String, Value>,
}

fn urn<S: Serializer>(slug: &str, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(&format_args!("urn:myevents:problem:{slug}"))
}

/// What is wrong with one field of the input.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
pub struct FieldError {
    /// The field, as a path: `halls[2].capacity`.
    pub field: String,
    /// What would be right.
    pub detail: String,
}

/// Why the server refused a request before it was handled; a label of `myevents_http_rejected_total`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Rejection {
    /// The body did not arrive in time.
    Timeout,
    /// The store's queue is full.
    Overload,
    /// The body is over the limit.
    BodyTooLarge,
    /// The request does not parse.
    BadRequest,
}

impl Rejection {
    /// All reasons, whose counters begin at zero.
    pub const ALL: [Self; 4] = [Self::Timeout, Self::Overload, Self::BodyTooLarge, Self::BadRequest];

    /// The value of the label.
    pub fn label(self) -> &'static str {
        match self {
            Self::Timeout => "timeout",
            Self::Overload => "overload",
            Self::BodyTooLarge => "body_too_large",
            Self::BadRequest => "bad_request",
        }
    }
}

/// An error answer. It is boxed to keep the `Result` of every handler small.
#[derive(Clone, Debug)]
pub struct Problem(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    status: StatusCode,
    body: ProblemBody,
    headers: Vec<(header::HeaderName, String)>,
    rejection: Option<Rejection>,
    close: bool,
}

impl Problem {
    /// `slug` becomes the stable `type`, `urn:myevents:problem:<slug>`.
    pub fn new(status: StatusCode, slug: &'static str, title: &'static str, detail: impl Into<String>) -> Self {
        let mut detail = detail.into();
        cut(&mut detail, DETAIL_MAX);
        let (errors, members) = (Vec::new(), Map::new());
        let body = ProblemBody { slug, title, status: status.as_u16(), detail, errors, members };
        Self(Box::new(Parts { status, body, headers: Vec::new(), rejection: None, close: false }))
    }

    /// 400: the input cannot be parsed. `field` is the place, `cause` says what is wrong there.
    pub fn bad_request(field: &str, cause: impl Into<String>) -> Self {
        let error = FieldError { field: field.to_owned(), detail: cause.into() };
        let detail = format!("{field}: {}", error.detail);
        let problem = Self::new(StatusCode::BAD_REQUEST, "bad-request", "The request cannot be read", detail);
        problem.rejected(Rejection::BadRequest).errors(vec![error])
    }

    /// 422: the input can be parsed, but values break a rule.
    pub fn invalid(mut errors: Vec<FieldError>) -> Self {
        errors.truncate(ERRORS_MAX);
        let detail = errors.iter().map(|e| format!("{}: {}", e.field, e.detail)).collect::<Vec<_>>().join("; ");
        let status = StatusCode::UNPROCESSABLE_ENTITY;
        Self::new(status, "invalid-value", "A value breaks a rule", detail).errors(errors)
    }

    fn errors(mut self, mut errors: Vec<FieldError>) -> Self {
        for error in &mut errors {
            cut(&mut error.field, FIELD_MAX);
            cut(&mut error.detail, DETAIL_MAX);
        }
        self.0.body.errors = errors;
        self
    }

    /// 404.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "not-found", "There is nothing here", detail)
    }

    /// 503: the store cannot be reached; the caller should try again in a moment.
    pub fn unavailable(detail: impl Into<String>) -> Self {
        let title = "The service cannot answer just now";
        Self::new(StatusCode::SERVICE_UNAVAILABLE, "unavailable", title, detail).retry_after(1)
    }

    /// 500: a bug in the service. The cause is in the log.
    pub fn internal() -> Self {
        let detail = "this is a bug in the service; its log has the cause under this answer's X-Request-Id";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", "The service made a mistake", detail)
    }

    /// Adds `Retry-After`, in seconds.
    pub fn retry_after(self, seconds: u32) -> Self {
        self.header(header::RETRY_AFTER, seconds.to_string())
    }

    /// Adds a header.
    pub fn header(mut self, name: header::HeaderName, value: impl Into<String>) -> Self {
        self.0.headers.push((name, value.into()));
        self
    }

    /// Adds an extension member to the body (RFC 9457, 3.2).
    pub fn member(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.0.body.members.insert(name.to_owned(), value.into());
        self
    }

    /// Counts the answer as a rejection.
    pub fn rejected(mut self, reason: Rejection) -> Self {
        self.0.rejection = Some(reason);
        self
    }

    /// Closes the connection after the answer, so that the rest of the request is not read.
    pub fn close(mut self) -> Self {
        self.0.close = true;
        self
    }
}

impl From<garde::Report> for Problem {
    fn from(report: garde::Report) -> Self {
        let error = |(path, error): &(garde::Path, garde::Error)| FieldError {
            field: path.to_string(),
            detail: error.message().to_owned(),
        };
        Self::invalid(report.iter().map(error).collect())
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ProblemBody { status, slug, detail, .. } = &self.0.body;
        write!(f, "{status} {slug}: {detail}")
    }
}

impl ResponseError for Problem {
    fn status_code(&self) -> StatusCode {
        self.0.status
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = HttpResponse::build(self.0.status);
        response.content_type("application/problem+json");
        for (name, value) in &self.0.headers {
            response.insert_header((name.clone(), value.as_str()));
        }
        if self.0.close {
            response.force_close();
        }
        let mut response = response.body(serde_json::to_string(&self.0.body).expect("a problem has only string keys"));
        if let Some(rejection) = self.0.rejection {
            response.extensions_mut().insert(rejection);
        }
        response
    }
}

/// A 400 for an error of serde. serde names a missing, unknown or duplicate field in its message, and the place of any other error
/// in the path. `whole` is the name for an error without a field.
pub(crate) fn field_error(path: &str, cause: &str, whole: &str) -> Problem {
    let quoted = ["missing", "unknown", "duplicate"].iter().find_map(|what| {
        let (field, rest) = cause.strip_prefix(what)?.strip_prefix(" field `")?.split_once('`')?;
        (!field.is_empty()).then(|| (field, format!("{what} field{rest}")))
    });
    let outer = path.trim_end_matches(['.', '?']); // "." is the whole, "?" is an incomplete key
    let (field, cause) = match quoted {
        Some((field, cause)) if outer == field || outer.ends_with(&format!(".{field}")) => (outer.to_owned(), cause),
        Some((field, cause)) if outer.is_empty() => (field.to_owned(), cause),
        Some((field, cause)) => (format!("{outer}.{field}"), cause),
        None if outer.is_empty() => (whole.to_owned(), cause.to_owned()),
        None => (outer.to_owned(), cause.to_owned()),
    };
    Problem::bad_request(&field, cause)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_does_not_grow_with_the_input() {
        let long = "x".repeat(65_000);
        let error = FieldError { field: long.clone(), detail: long.clone() };
        for problem in [Problem::bad_request(&long, long.clone()), Problem::invalid(vec![error; 2000])] {
            let body = serde_json::to_string(&problem.0.body).unwrap();
            assert!(body.len() < 16_000, "{}", body.len());
        }
    }
}
