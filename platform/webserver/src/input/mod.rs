//! Extractors for a request: JSON body, query, ids and headers. Every error is a [`Problem`](crate::problem::Problem) that names
//! the field.
//!
//! They replace actix's own extractors, which have other error bodies, read a body without a deadline and accept unknown
//! parameters. Read next: `body.rs`.

mod body;
mod field_error;
mod headers;
mod id;
mod query;

pub(crate) use body::BodySize;
pub use body::{BODY_DEADLINE, BODY_MAX, Json};
pub use headers::{header_text, traceparent};
pub use id::{Id, optional_uuid, uuid};
pub use query::{NoQuery, Query};
