//! The query: only known parameters, each at most once.

use actix_web::{FromRequest, HttpRequest, dev::Payload};
use serde::de::DeserializeOwned;

use super::field_error::field_error;
use crate::problem::Problem;

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

/// For routes without query parameters: any parameter is refused.
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
