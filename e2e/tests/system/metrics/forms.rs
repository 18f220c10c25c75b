//! The three forms of a scrape: asked for as Prometheus and others do it, and saying the same.

use std::{
    collections::BTreeSet,
    io::Read,
    time::{SystemTime, UNIX_EPOCH},
};

use e2e::{
    Answer, Api, SOON, System,
    api::send,
    eventually,
    forms::{OPEN_METRICS, PROTOBUF, Said, Series, open_metrics, protobuf, text},
    samples,
    server::{Plan, Server},
};
use reqwest::{
    Method,
    header::{ACCEPT, ACCEPT_ENCODING},
};
use serde_json::json;

use crate::steps::{book, on_sale, seats, view_shows};

const TEXT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";
const OPEN_METRICS_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const PROTOBUF_TYPE: &str =
    "application/vnd.google.protobuf; proto=io.prometheus.client.MetricFamily; encoding=delimited";

async fn asked(ops: &Api, method: Method, accept: &str, encoding: &str) -> Answer {
    let request = ops.request(method, "/metrics").header(ACCEPT, accept).header(ACCEPT_ENCODING, encoding);
    send(request).await.expect(200)
}

async fn scraped(ops: &Api, accept: &str) -> Vec<u8> {
    asked(ops, Method::GET, accept, "identity").await.body
}

#[tokio::test]
async fn each_form_has_its_type_also_for_head_and_compressed() {
    let system = System::start();
    let first = format!("{PROTOBUF};q=0.7,{OPEN_METRICS};q=0.6,text/plain;version=0.0.4;q=0.4,*/*;q=0.3");
    let accepted = [
        (first.as_str(), PROTOBUF_TYPE),
        (PROTOBUF, PROTOBUF_TYPE),
        (OPEN_METRICS, OPEN_METRICS_TYPE),
        ("text/plain;q=0.2,application/openmetrics-text;q=0.3", OPEN_METRICS_TYPE),
        ("text/plain;q=0.3,application/openmetrics-text;q=0.2", TEXT_TYPE),
        ("application/openmetrics-text;q=0,*/*", TEXT_TYPE),
        ("text/html,application/xhtml+xml,*/*;q=0.8", TEXT_TYPE), // a browser
        ("image/png", TEXT_TYPE),
        (";;,q=票,\"", TEXT_TYPE),
    ];
    for ops in [&system.events_ops, &system.bookings_ops] {
        for (accept, right) in accepted {
            for method in [Method::GET, Method::HEAD] {
                for (encoding, gzip) in [("identity", None), ("br,gzip;q=0.1", Some("gzip")), ("gzip;q=0", None)] {
                    let answer = asked(ops, method.clone(), accept, encoding).await;
                    assert_eq!(answer.header("content-type"), Some(right), "{accept}");
                    assert_eq!(answer.header("vary"), Some("Accept, Accept-Encoding"), "{accept}");
                    assert_eq!(answer.header("content-encoding"), gzip, "{accept} {encoding}");
                    assert_eq!(answer.body.is_empty(), method == Method::HEAD, "{method} {accept}");
                    assert!(method == Method::GET || answer.header("content-length") != Some("0"), "{accept}");
                }
            }
        }
    }
}

#[tokio::test]
async fn what_is_compressed_is_the_same() {
    let system = System::start();
    for accept in ["text/plain", OPEN_METRICS, PROTOBUF] {
        let mut plain = Vec::new();
        let compressed = asked(&system.bookings_ops, Method::GET, accept, "gzip").await.body;
        flate2::read::GzDecoder::new(compressed.as_slice()).read_to_end(&mut plain).unwrap();
        assert!(compressed.len() * 3 < plain.len(), "{accept}: {} of {}", compressed.len(), plain.len());
        let names = |bytes: &[u8]| read(accept, bytes).map(|said| said.samples.into_keys().collect::<BTreeSet<_>>());
        assert_eq!(names(&plain), names(&scraped(&system.bookings_ops, accept).await), "{accept}");
    }
}

fn read(accept: &str, bytes: &[u8]) -> Option<Said> {
    match accept {
        OPEN_METRICS => open_metrics::read(bytes),
        PROTOBUF => Some(protobuf::read(bytes)),
        _ => Some(text(std::str::from_utf8(bytes).unwrap())),
    }
}

#[tokio::test]
async fn the_three_forms_say_the_same_of_any_name() {
    let system = System::start();
    let mut ids = Vec::new();
    let mut names = BTreeSet::new();
    for name in [r#"say "hi""#, r"C:\new\table", "春节音乐会", r#"\""#, "{a=\"b\"} 1", "🎷 # HELP", "# EOF"] {
        let name = samples::unique(name);
        let event = on_sale(&system, &samples::event(&name, 10)).await;
        let body = json!({"seats": 2, "user_id": "alice-who-must-not-be-seen"});
        let booked = system.bookings.post(&format!("/events/{event}/bookings"), &body).await.expect(201);
        ids.push(booked.id());
        names.insert(name);
    }
    let Some(said) = agree(&system.bookings_ops).await else { return };
    let shown: BTreeSet<_> = said.of("myevents_bookings_count").map(|((_, labels), _)| &labels["eventName"]).collect();
    assert!(names.iter().all(|name| shown.contains(name)), "{shown:?}");
    for value in said.label_values() {
        let secret = value.contains("alice") || ids.iter().any(|id| value.contains(id));
        assert!(!secret, "{value:?} must not be a label's value");
    }
    agree(&system.events_ops).await;
}

/// What moves by itself, also while nobody sends anything.
fn moves(name: &str) -> bool {
    let names = ["process_", "tokio_", "myevents_event_loop_lag", "myevents_data_free_bytes"];
    names.iter().any(|begin| name.starts_with(begin))
}

/// What the text says, without what moves by itself. NaN, which is not even itself, is a text here.
async fn at_rest(ops: &Api) -> (Said, Vec<(Series, String)>) {
    let said = text(std::str::from_utf8(&scraped(ops, "text/plain").await).unwrap());
    let rest = said.samples.iter().filter(|((name, _), _)| !moves(name));
    let rest = rest.map(|(series, value)| (series.clone(), value.to_string())).collect();
    (said, rest)
}

/// Asks for all three in a moment in which nothing else is counted, and gives what the protobuf said. `None` where there is nothing that
/// reads OpenMetrics.
pub(crate) async fn agree(ops: &Api) -> Option<Said> {
    let (said, protobuf, open_metrics) = eventually(SOON, "nothing is counted any more", async || {
        let (said, before) = at_rest(ops).await;
        let (protobuf, open_metrics) = (scraped(ops, PROTOBUF).await, scraped(ops, OPEN_METRICS).await);
        (before == at_rest(ops).await.1).then_some((said, protobuf, open_metrics))
    })
    .await;
    let (protobuf, open_metrics) = (protobuf::read(&protobuf), open_metrics::read(&open_metrics)?);
    for other in [&protobuf, &open_metrics] {
        assert_eq!(said.kinds, other.kinds);
        assert_eq!(said.names(), other.names());
        assert_eq!(said.samples.len(), other.samples.len());
        for (series, value) in said.samples.iter().filter(|((name, _), _)| !moves(name)) {
            let found = other.samples.get(series).unwrap_or_else(|| panic!("{series:?} is not there"));
            let same = found == value || (found.is_nan() && value.is_nan());
            assert!(same, "{series:?} is {value} and {found}");
        }
    }
    let exemplars =
        |said: &Said| -> Vec<_> { said.exemplars.clone().into_iter().filter(|((name, _), _)| !moves(name)).collect() };
    assert_eq!(exemplars(&protobuf), exemplars(&open_metrics));
    assert!(said.exemplars.is_empty() && open_metrics.starts.is_empty(), "only where they are asked for");
    for (series, (count, schema)) in &protobuf.native {
        let counted = protobuf.samples[&(format!("{}_count", series.0), series.1.clone())];
        assert!((count - counted).abs() < 0.1, "{series:?}: {count} of {counted}");
        assert!(*schema <= 3, "{series:?}: {schema}");
    }
    Some(protobuf)
}

/// The moment in which each series was made: not that of the process' start, and not that of a scrape.
#[tokio::test]
async fn on_request_openmetrics_has_the_starts_that_protobuf_always_has() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("OPENMETRICS_CREATED", "on"), ("METRICS_ALIASES", "micro")];
    let plan = Plan { env: env.map(|(name, value)| (name, value.to_owned())).into(), ..Plan::default() };
    let server = Server::start(folder.path(), &plan).unwrap();
    let ops = Api::new(&server.addresses.bookings_ops);
    let _ = scraped(&ops, "text/plain").await; // what is old now keeps the start that was shown
    let now = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let before = now();
    let event = server.events().post("/events", &samples::event("春节 \"Late\"", 10)).await.expect(201).id();
    eventually(SOON, "the booking service learns of the event", async || {
        server.bookings().get(&format!("/events/{event}")).await.status == 200
    })
    .await;
    let after = now();
    tokio::time::sleep(std::time::Duration::from_secs(3)).await; // older than what is taken for a clock's error
    for _ in 0..2 {
        let protobuf = protobuf::read(&scraped(&ops, PROTOBUF).await);
        let Some(open_metrics) = open_metrics::read(&scraped(&ops, OPEN_METRICS).await) else { return };
        let starts = protobuf.starts.iter().filter(|((name, _), _)| name != "myevents_bookings_count");
        for (series, start) in starts {
            let found = open_metrics.starts.get(series).unwrap_or_else(|| panic!("{series:?} has no _created"));
            assert!((found - start).abs() < 1e-6, "{series:?}: {start} and {found}");
        }
        let of_event = protobuf
            .starts
            .iter()
            .find(|((name, labels), _)| name == "myevents_bookings_count" && labels["eventID"] == event);
        let (_, start) = of_event.unwrap();
        assert!((before..after).contains(start), "{before} {start} {after}");
        assert!(!open_metrics.starts.keys().any(|(name, _)| name == "myevents_bookings_count"), "it is unknown there");
    }
}

#[tokio::test]
async fn a_scrape_without_headers_is_text() {
    let system = System::start();
    let event = seats(&system, 10).await;
    book(&system, &event, 1).await.expect(201);
    view_shows(&system, &event, 1).await;
    let request = e2e::raw::request("GET", "/metrics", &[], b"");
    let answer = e2e::raw::send(system.bookings_ops.address(), &request).await.unwrap().expect(200);
    assert_eq!(answer.header("content-type"), Some(TEXT_TYPE));
    assert_eq!(answer.header("content-encoding"), None);
}
