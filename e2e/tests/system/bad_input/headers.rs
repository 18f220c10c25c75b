//! Headers that are wrong, and bodies whose framing is.

use super::{Body, Case, To};

const BOOK: &str = "/events/{event}/bookings";

/// Keys that are not the quoted string that they begin or end as.
const QUOTED_WRONG: [&str; 9] =
    [r#""""#, r#"""#, r#""open"#, r#"shut""#, r#""a"b""#, r#""a\b""#, r#""a\""#, r#""a b""#, r#""a";b"#];

pub(super) fn cases() -> Vec<Case> {
    let post = |what: &str, status, field: &str| Case::post(what, To::Bookings, BOOK, r#"{"seats": 1}"#, status, field);
    let typed = |content_type: &str| Case {
        headers: vec![("Content-Type", content_type.to_owned())],
        ..post(&format!("the type {content_type:?}"), 415, "")
    };
    let types = [
        "text/plain",
        "application/x-www-form-urlencoded",
        "application/problem+json",
        "application/json; charset=latin1",
        "application/jsonx",
        "json",
        "*/*",
        "",
    ];
    let mut cases: Vec<_> = types.into_iter().map(typed).collect();
    cases.push(Case { headers: Vec::new(), ..post("no type", 415, "") });
    for encoding in ["gzip", "br", "nonsense"] {
        let mut case = post(&format!("the encoding {encoding}"), 415, "");
        case.headers.push(("Content-Encoding", encoding.into()));
        cases.push(case);
    }
    let mut second = post("an encoding in a second line", 415, "");
    second.headers.extend([("Content-Encoding", "identity".into()), ("Content-Encoding", "gzip".into())]);
    cases.push(second);
    for key in [String::new(), "two words".into(), "é".into(), "k".repeat(256), "tab\there".into()]
        .into_iter()
        .chain(QUOTED_WRONG.map(str::to_owned))
    {
        let mut case = post(&format!("the key {key:.20?}"), 400, "Idempotency-Key");
        case.headers.push(("Idempotency-Key", key));
        cases.push(case);
    }
    let mut twice = post("two keys", 400, "Idempotency-Key");
    twice.headers.extend([("Idempotency-Key", "a".into()), ("idempotency-key", "b".into())]);
    let mut same = post("the same key twice", 400, "Idempotency-Key");
    same.headers.extend([("Idempotency-Key", "a".into()), ("Idempotency-Key", "a".into())]);
    let chunk = "Transfer-Encoding: chunked\r\n\r\nzz\r\n{\"seats\": 1}\r\n0\r\n\r\n";
    let framing = Case { body: Body::AsItIs(chunk), ..post("a chunk whose size is no number", 400, "body") };
    let announced = "Content-Length: 18446744073709551615\r\n\r\n{\"seats\": 1}";
    let huge = Case { body: Body::AsItIs(announced), ..post("a length of 2^64-1", 413, "") };
    cases.extend([twice, same, framing, huge]);
    cases
}
