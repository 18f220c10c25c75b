//! Reading a request: JSON body, query, ids and headers. Every error is a [`Problem`] that names the field.
//!
//! actix's own extractors answer in their own way, take a body without a deadline and let unknown parameters pass, so
//! these stand in their place.

mod body;
mod headers;
mod id;
mod query;

pub(crate) use body::BodySize;
pub use body::{BODY_DEADLINE, BODY_MAX, Json};
pub use headers::{header_text, traceparent};
pub use id::{Id, optional_uuid, uuid};
pub use query::{NoQuery, Query};

use crate::problem::Problem;

/// serde names a missing, unknown or duplicate field in the message, and the place of any other error in the path.
fn named(path: &str, cause: &str, whole: &str) -> Problem {
    let quoted = ["missing", "unknown", "duplicate"].iter().find_map(|what| {
        let (field, rest) = cause.strip_prefix(what)?.strip_prefix(" field `")?.split_once('`')?;
        (!field.is_empty()).then(|| (field, format!("{what} field{rest}")))
    });
    let outer = path.trim_end_matches(['.', '?']); // "." is the whole, "?" a key that broke off
    let (field, cause) = match quoted {
        Some((field, cause)) if outer == field || outer.ends_with(&format!(".{field}")) => (outer.to_owned(), cause),
        Some((field, cause)) if outer.is_empty() => (field.to_owned(), cause),
        Some((field, cause)) => (format!("{outer}.{field}"), cause),
        None if outer.is_empty() => (whole.to_owned(), cause.to_owned()),
        None => (outer.to_owned(), cause.to_owned()),
    };
    // Who writes JSON does not know Rust's types.
    Problem::bad_request(&field, cause.replace("expected i64", "expected a whole number"))
}
