//! `POST /events` with a body that is wrong.

use super::{Case, To};

/// A good body, but for one field: `change` is what stands there instead, as JSON.
fn with(field: &str, change: &str) -> String {
    let right = [
        ("name", r#""Jazz""#),
        ("start_date", r#""2100-05-01T18:00:00Z""#),
        ("end_date", r#""2100-05-01T22:00:00Z""#),
        ("capacity", "5"),
    ];
    let mut fields: Vec<_> = right.into_iter().filter(|(name, _)| *name != field).collect();
    if !change.is_empty() {
        fields.push((field, change));
    }
    let fields: Vec<_> = fields.iter().map(|(name, value)| format!(r#""{name}": {value}"#)).collect();
    format!("{{{}}}", fields.join(", "))
}

pub(super) fn cases() -> Vec<Case> {
    let post =
        |what: &str, body: Vec<u8>, status, field: &str| Case::post(what, To::Events, "/events", body, status, field);
    let text = |(what, body, field): (&str, &str, &str)| post(what, body.as_bytes().to_vec(), 400, field);
    let mut cases: Vec<_> = shapes().into_iter().map(text).collect();
    for (field, value, status) in values() {
        cases.push(post(&format!("{field} = {value:.40}"), with(field, &value).into_bytes(), status, field));
    }
    let deep = "[".repeat(30_000);
    let nested = format!(r#"{{"name": {}1{}}}"#, "[".repeat(200), "]".repeat(200));
    let large = with("name", &format!(r#""{}""#, "x".repeat(64 * 1024)));
    cases.extend([
        post("bytes that are no UTF-8", b"{\"name\": \"\xff\xfe\"}".to_vec(), 400, "body"),
        post("a UTF-16 body", "\u{feff}{}".encode_utf16().flat_map(u16::to_be_bytes).collect(), 400, "body"),
        post("NUL bytes", vec![0; 100], 400, "body"),
        post("too deep", deep.into_bytes(), 400, ""),
        post("too deep in a field", nested.into_bytes(), 400, "name"),
        post("too large", large.clone().into_bytes(), 413, ""),
        post("too large, in chunks", large.into_bytes(), 413, "").chunked(),
        post("broken off, in chunks", with("name", "\"x").into_bytes(), 400, "name").chunked(),
    ]);
    cases
}

/// Bodies that are no event at all, with what is named.
fn shapes() -> Vec<(&'static str, &'static str, &'static str)> {
    vec![
        ("no body", "", "body"),
        ("only spaces", "  \r\n", "body"),
        ("no JSON", "hello", "body"),
        ("broken off", "{", "body"),
        ("single quotes", "{'name': 'x'}", "body"),
        ("a comment", "/* event */ {}", "body"),
        ("a byte order mark", "\u{feff}{}", "body"),
        ("null", "null", "body"),
        ("a number", "1", "body"),
        ("a text", r#""event""#, "body"),
        ("a list", "[]", "body"),
        (
            "a list with the fields in their order",
            r#"["x", null, "2100-05-01T18:00:00Z", "2100-05-01T22:00:00Z", 5]"#,
            "body",
        ),
        ("an empty object", "{}", "name"),
        (
            "something behind it",
            r#"{"name": "x", "start_date": "2100-05-01T18:00:00Z", "end_date": "2100-05-01T22:00:00Z"} {}"#,
            "body",
        ),
        ("a duplicate key", r#"{"name": "a", "name": "b"}"#, "name"),
        ("an unknown field", r#"{"name": "a", "colour": "red"}"#, "colour"),
        ("a field of another case", r#"{"Name": "a"}"#, "Name"),
        ("a field of the answer", r#"{"booked_seats": 0}"#, "booked_seats"),
    ]
}

/// Fields that are wrong in a body that is otherwise right; an empty value leaves the field out.
fn values() -> Vec<(&'static str, String, u16)> {
    let texts = [
        ("name", "", 400),
        ("name", "null", 400),
        ("name", "7", 400),
        ("name", r#"["a"]"#, 400),
        ("name", r#""\ud800""#, 400),
        ("name", r#""""#, 422),
        ("name", r#""a\u0000b""#, 422),
        ("name", r#""two\nlines""#, 422),
        ("name", r#"" ""#, 422),
        ("name", r#""\u200b\u00ad\u202e\u0301""#, 422),
        ("start_date", "", 400),
        ("start_date", "4102444800", 400),
        ("start_date", r#""tomorrow""#, 400),
        ("start_date", r#""2100-05-01""#, 400),
        ("start_date", r#""2100-05-01T18:00:00""#, 400),
        ("start_date", r#""2100-02-30T18:00:00Z""#, 400),
        ("start_date", r#""10000-01-01T00:00:00Z""#, 400),
        ("end_date", "", 400),
        ("end_date", r#""2100-05-01T18:00:00+99:00""#, 400),
        ("end_date", r#""2100-05-01T17:59:59.999Z""#, 422),
        ("end_date", r#""2100-05-01T18:00:00Z""#, 422),
        ("capacity", r#""5""#, 400),
        ("capacity", "1.5", 400),
        ("capacity", "true", 400),
        ("capacity", "1e400", 400),
        ("capacity", "99999999999999999999", 400),
        ("capacity", "0", 422),
        ("capacity", "-1", 422),
        ("capacity", "9223372036854775807", 422),
        ("location_id", "1", 400),
        ("location_id", r#""somewhere""#, 400),
        ("location_id", r#""01936c4e7d00700080000000000000ab""#, 400),
        ("location_id", r#""01936c4e-7d00-7000-8000-0000000000ab""#, 422),
    ];
    let long = ("name", format!(r#""{}""#, "票".repeat(201)), 422);
    texts.into_iter().map(|(field, value, status)| (field, value.to_owned(), status)).chain([long]).collect()
}
