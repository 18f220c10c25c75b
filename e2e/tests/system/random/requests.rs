//! How random requests are made: near enough to right ones that they get past the first check, and then wrong anywhere.

use proptest::prelude::*;
use serde_json::{Map, Value};

/// A random request. `{event}` in its target stands for an event that is there.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) body: Vec<u8>,
    pub(super) chunked: bool,
    pub(super) key: Option<String>,
}

/// Half of them go where they could do something, with the body that belongs there.
pub(super) fn request() -> impl Strategy<Value = Request> {
    let to = |path: &'static str, body| (Just("POST".to_owned()), Just(path.to_owned()), body);
    let wild = (method(), target(), body());
    let what = prop_oneof![
        3 => wild.boxed(),
        1 => to("/events", event().boxed()).boxed(),
        1 => to("/locations", location().boxed()).boxed(),
        1 => to("/events/{event}/bookings", booking().boxed()).boxed(),
    ];
    let parts = (what, any::<bool>(), prop::option::weighted(0.2, "[!-~]{0,20}"));
    parts.prop_map(|((method, target, body), chunked, key)| Request { method, target, body, chunked, key })
}

fn one_of(words: &[&str]) -> impl Strategy<Value = String> + use<> {
    prop::sample::select(words.iter().map(|word| (*word).to_owned()).collect::<Vec<_>>())
}

fn method() -> impl Strategy<Value = String> {
    let known = one_of(&["DELETE", "HEAD", "PUT", "OPTIONS", "PATCH", "TRACE"]);
    prop_oneof![3 => one_of(&["GET", "POST"]), 3 => known, 1 => "[A-Z]{1,10}"]
}

/// Percent-encoded where a URL needs it.
fn escaped(text: String) -> String {
    let escape = |byte: u8| match byte {
        b'!' | b'$'..=b'/' | b'0'..=b';' | b'=' | b'@'..=b'Z' | b'_' | b'a'..=b'z' | b'~' => {
            char::from(byte).to_string()
        }
        other => format!("%{other:02X}"),
    };
    text.bytes().map(escape).collect()
}

fn target() -> impl Strategy<Value = String> {
    let routes = one_of(&[
        "/events",
        "/events/{event}",
        "/events/{event}/bookings",
        "/events/{event}/bookings",
        "/bookings/{event}",
        "/locations",
        "/docs",
        "/openapi.json",
        "/",
    ]);
    let word = prop_oneof![3 => one_of(&["events", "bookings", "..", "", "{event}"]), 1 => ".{0,6}".prop_map(escaped)];
    let path = prop::collection::vec(word, 0..4).prop_map(|words| format!("/{}", words.join("/")));
    let name = prop_oneof![
        8 => one_of(&["name", "limit", "after", "from", "to", "location_id"]),
        1 => ".{0,4}".prop_map(escaped),
    ];
    let value = prop_oneof![
        2 => one_of(&["1", "100", "0", "-1", "2100-05-01T18:00:00Z", "{event}", "%", "%FF", "a"]),
        1 => "[0-9a-f]{48}",
        1 => ".{0,12}".prop_map(escaped),
    ];
    let pair = (name, value).prop_map(|(name, value)| format!("{name}={value}"));
    let query = prop_oneof![2 => Just(Vec::new()), 1 => prop::collection::vec(pair, 1..4)];
    let query = query.prop_map(|pairs| if pairs.is_empty() { String::new() } else { format!("?{}", pairs.join("&")) });
    (prop_oneof![4 => routes, 1 => path], query).prop_map(|(path, query)| path + &query)
}

fn event() -> impl Strategy<Value = Vec<u8>> {
    body_like(&["name", "start_date", "end_date", "capacity", "location_id"], &["name", "start_date", "end_date"])
}

fn location() -> impl Strategy<Value = Vec<u8>> {
    body_like(&["name", "address", "country", "halls", "open_time"], &["name", "address", "country"])
}

fn booking() -> impl Strategy<Value = Vec<u8>> {
    body_like(&["seats", "user_id"], &["seats"])
}

fn body() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![
        2 => prop_oneof![event().boxed(), location().boxed(), booking().boxed()],
        2 => json().prop_map(|json| json.to_string().into_bytes()),
        1 => prop::collection::vec(any::<u8>(), 0..200),
        1 => Just(Vec::new()),
    ]
}

/// An object with these fields, of which those that are not needed may be missing; and now and then one more.
fn body_like(fields: &[&'static str], needed: &'static [&'static str]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let field = |name: &'static str| {
        let value = prop_oneof![15 => right(name), 1 => json()];
        let there = if needed.contains(&name) { 0.98 } else { 0.3 };
        prop::option::weighted(there, value).prop_map(move |value| Some((name.to_owned(), value?)))
    };
    let more = prop::option::weighted(0.05, (".{0,5}", json()));
    let fields: Vec<_> = fields.iter().map(|name| field(name)).collect();
    (fields, more).prop_map(|(fields, more)| {
        let object: Map<_, _> = fields.into_iter().flatten().chain(more).collect();
        Value::Object(object).to_string().into_bytes()
    })
}

/// A value that would do for a field, or nearly.
fn right(name: &str) -> BoxedStrategy<Value> {
    let (seats, capacity) = (-1..103_i64, prop_oneof![1..2_000_000_i64, any::<i64>()]);
    match name {
        "seats" => seats.prop_map(Value::from).boxed(),
        "capacity" => capacity.prop_map(Value::from).boxed(),
        "start_date" => one_of(&["2100-05-01T18:00:00Z", "0000-01-01T00:00:00Z"]).prop_map(Value::from).boxed(),
        "end_date" => one_of(&["2100-05-01T22:00:00+05:00", "9999-12-30T21:59:59Z"]).prop_map(Value::from).boxed(),
        "location_id" => Just(Value::Null).boxed(),
        "open_time" => "[0-2][0-9]:[0-6][0-9]".prop_map(Value::from).boxed(),
        "halls" => prop::collection::vec(json(), 0..3).prop_map(Value::from).boxed(),
        _ => prop_oneof!["[a-z ]{1,12}", ".{1,201}"].prop_map(Value::from).boxed(),
    }
}

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,12}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let name = prop_oneof![one_of(&["name", "capacity", "seats"]), ".{0,4}"];
        let object = prop::collection::vec((name, inner.clone()), 0..6);
        let object = object.prop_map(|fields| Value::Object(fields.into_iter().collect()));
        prop_oneof![2 => object, 1 => prop::collection::vec(inner, 0..4).prop_map(Value::from)]
    })
}
