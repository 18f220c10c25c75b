//! The problem answers that many handlers have in common, for the OpenAPI document. A handler names the groups that it may answer, and
//! writes out only what is its own.

use std::collections::BTreeMap;

use utoipa::{
    IntoResponses, ToSchema,
    openapi::{Content, Ref, RefOr, Response, ResponseBuilder},
};

use webserver::problem::ProblemBody;

/// Of every handler: what was sent does not parse (400), and the store cannot be used (503).
pub struct CommonProblems;

/// Of handlers with a body: it comes too slowly (408), is too large (413), is no JSON (415), or breaks a rule (422).
pub struct BodyProblems;

/// What was asked for is not there (404).
pub struct NotFound;

/// A value in the query breaks a rule (422).
pub struct InvalidValue;

type Responses = BTreeMap<String, RefOr<Response>>;

impl IntoResponses for CommonProblems {
    fn responses() -> Responses {
        problems(&[400, 503])
    }
}

impl IntoResponses for BodyProblems {
    fn responses() -> Responses {
        problems(&[408, 413, 415, 422])
    }
}

impl IntoResponses for NotFound {
    fn responses() -> Responses {
        problems(&[404])
    }
}

impl IntoResponses for InvalidValue {
    fn responses() -> Responses {
        problems(&[422])
    }
}

fn problems(statuses: &[u16]) -> Responses {
    let problem = || {
        let content = Content::new(Some(Ref::from_schema_name(ProblemBody::name())));
        ResponseBuilder::new().content("application/problem+json", content).build()
    };
    statuses.iter().map(|status| (status.to_string(), RefOr::T(problem()))).collect()
}
