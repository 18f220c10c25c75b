//! The headers that handlers read.

use actix_web::HttpRequest;

use crate::problem::Problem;

/// A header that may be given once, as visible ASCII of at most `max` characters.
pub fn header_text<'r>(request: &'r HttpRequest, name: &'static str, max: usize) -> Result<Option<&'r str>, Problem> {
    let mut values = request.headers().get_all(name);
    let Some(value) = values.next() else { return Ok(None) };
    if values.next().is_some() {
        return Err(Problem::bad_request(name, "the header is there twice: send it once"));
    }
    let text = value.to_str().ok().filter(|t| (1..=max).contains(&t.len()) && t.bytes().all(|b| b.is_ascii_graphic()));
    let right = || format!("must be 1 to {max} visible ASCII characters without spaces");
    text.map(Some).ok_or_else(|| Problem::bad_request(name, right()))
}

/// The W3C `traceparent` of a request, which its messages carry on. A malformed one is ignored, as the specification demands
/// (<https://www.w3.org/TR/trace-context/>).
pub fn traceparent(request: &HttpRequest) -> Option<String> {
    let text = request.headers().get("traceparent")?.to_str().ok()?;
    let parts: Vec<_> = text.split('-').collect();
    let hex = |part: &str, length| part.len() == length && part.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    let known = parts.len() == 4 && parts[0] == "00" && hex(parts[1], 32) && hex(parts[2], 16) && hex(parts[3], 2);
    known.then(|| text.to_owned())
}
