//! What every URL does alike: request ids, `HEAD`, `Allow`, no metrics on the REST port.

use e2e::{System, api::send, raw, samples};
use reqwest::Method;

use crate::steps::seats;

#[tokio::test]
async fn a_request_id_is_kept_where_it_can_be_logged_and_replaced_where_not() {
    let system = System::start();
    let longest = "~".repeat(128);
    for api in [&system.events, &system.bookings] {
        for path in [format!("/events/{}", samples::NOBODY), "/docs".to_owned(), "/nowhere".to_owned()] {
            for id in ["a", "trace:1/2!", &longest] {
                let answer = send(api.request(Method::GET, &path).header("X-Request-Id", id)).await;
                assert_eq!(answer.header("x-request-id"), Some(id), "{path}");
            }
            for id in ["", "a b", &format!("{longest}~"), "é"] {
                let answer = send(api.request(Method::GET, &path).header("X-Request-Id", id)).await;
                let fresh = answer.header("x-request-id").unwrap();
                assert!(fresh != id && fresh.len() == 36, "{path}: {id:?} became {fresh:?}");
            }
        }
    }
}

#[tokio::test]
async fn requests_without_an_id_get_one_each() {
    let system = System::start();
    let (one, two) = (system.events.get("/events").await, system.events.get("/events").await);
    assert_ne!(one.header("x-request-id").unwrap(), two.header("x-request-id").unwrap());
}

#[tokio::test]
async fn another_method_is_a_405_that_says_which_there_are() {
    let system = System::start();
    let id = samples::NOBODY;
    let (both, read) = ("GET, HEAD, POST", "GET, HEAD");
    for (api, path, allow) in [
        (&system.events, "/events".to_owned(), both),
        (&system.events, format!("/events/{id}"), read),
        (&system.events, "/locations".to_owned(), both),
        (&system.events, format!("/locations/{id}"), read),
        (&system.bookings, format!("/events/{id}"), read),
        (&system.bookings, format!("/events/{id}/bookings"), both),
        (&system.bookings, format!("/bookings/{id}"), "GET, HEAD, DELETE"),
        (&system.bookings, format!("/bookings/{id}/timeline"), read),
        (&system.events, "/openapi.json".to_owned(), read),
        (&system.bookings, "/docs".to_owned(), read),
        (&system.bookings, "/".to_owned(), read),
    ] {
        for method in ["PUT", "PATCH", "OPTIONS", "PURGE"] {
            let answer = send(api.request(method.parse().unwrap(), &path)).await;
            answer.problem(405, "method-not-allowed");
            assert_eq!(answer.header("allow"), Some(allow), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn head_answers_as_get_does_but_without_a_body() {
    let system = System::start();
    let event = seats(&system, 5).await;
    for (api, path) in [
        (&system.events, "/events".to_owned()),
        (&system.events, format!("/events/{event}")),
        (&system.events, "/locations".to_owned()),
        (&system.bookings, format!("/events/{event}")),
        (&system.bookings, format!("/events/{event}/bookings")),
        (&system.bookings, format!("/bookings/{}", samples::NOBODY)),
        (&system.events, "/openapi.json".to_owned()),
        (&system.events, "/docs".to_owned()),
        (&system.events, "/nowhere".to_owned()),
    ] {
        let get = api.get(&path).await;
        let head = raw::send(api.address(), &raw::request("HEAD", &path, &[], b"")).await.unwrap();
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        for name in ["content-type", "content-length", "retry-after"] {
            assert_eq!(head.header(name), get.header(name), "{name} of {path}");
        }
    }
}

#[tokio::test]
async fn what_is_nowhere_is_a_404_and_so_are_metrics_on_the_rest_port() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        for path in
            ["/nowhere", "/metrics", "/livez", "/readyz", "/dead", "/events/", "//events", "/docs/../../etc/passwd"]
        {
            let answer = raw::send(api.address(), &raw::request("GET", path, &[], b"")).await.unwrap();
            answer.problem(404, "not-found");
        }
    }
    system.bookings.get("/events").await.problem(404, "not-found");
    system.events.get(&format!("/bookings/{}", samples::NOBODY)).await.problem(404, "not-found");
}

#[tokio::test]
async fn a_body_may_come_in_chunks_and_the_connection_may_be_used_again() {
    let system = System::start();
    let body = samples::unlimited(&samples::unique("Chunks")).to_string();
    let json = [("Content-Type", "application/json; charset=UTF-8")];
    let bytes = raw::chunked("POST", "/events", &json, body.as_bytes(), 7);
    assert_eq!(raw::send(system.events.address(), &bytes).await.unwrap().status, 201);
    let twice = [raw::request("GET", "/locations", &[], b""), raw::request("GET", "/events", &[], b"")].concat();
    let twice = String::from_utf8(twice).unwrap().replacen("Connection: close\r\n", "", 1);
    let answers = raw::send(system.events.address(), twice.as_bytes()).await.unwrap();
    assert_eq!(answers.text().matches("HTTP/1.1 200 OK").count(), 1, "the second answer stands behind the first");
}

#[tokio::test]
async fn what_http_compares_without_case_is_compared_without_case() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let (path, body) = (format!("/events/{event}/bookings"), r#"{"seats": 1}"#);
    let json = ("Content-Type", "application/json");
    for (name, value) in [
        ("content-TYPE", "application/json ; charset=utf-8"),
        ("Content-Type", "Application/JSON"),
        ("Content-Type", "APPLICATION/json\t;\tCharset=\"UTF-8\""),
        ("Content-Type", "application/json; version=1; charset=Utf-8;"),
        ("Content-Encoding", "Identity"),
        ("Content-Encoding", "identity, IDENTITY"),
        ("Expect", "100-Continue"),
        ("Accept", "APPLICATION/JSON"),
        ("Accept-Encoding", "GZIP"),
        ("TE", "Trailers"),
    ] {
        let headers = [(name, value), json];
        let headers = if name.eq_ignore_ascii_case(json.0) { &headers[..1] } else { &headers };
        let answer = raw::send(system.bookings.address(), &raw::request("POST", &path, headers, body.as_bytes())).await;
        let answer = answer.unwrap().text(); // with 100 Continue in front, where it was expected
        assert!(answer.contains(r#""seats":1"#) || answer.contains("HTTP/1.1 201"), "{name}: {value}: {answer}");
    }
    let chunks = String::from_utf8(raw::chunked("POST", &path, &[json], body.as_bytes(), 5)).unwrap();
    let chunks = chunks.replace("Transfer-Encoding: chunked", "TRANSFER-encoding: Chunked");
    assert_eq!(raw::send(system.bookings.address(), chunks.as_bytes()).await.unwrap().status, 201);
}

#[tokio::test]
async fn the_probes_of_both_services_say_that_they_are_well() {
    let system = System::start();
    for ops in [&system.events_ops, &system.bookings_ops] {
        ops.get("/livez").await.expect(200);
        ops.get("/readyz").await.expect(200).json();
        ops.get("/nowhere").await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_ops_port_has_a_page_with_version_and_uptime_whose_links_lead_somewhere() {
    let system = System::start();
    for (ops, name) in [(&system.events_ops, "eventservice"), (&system.bookings_ops, "bookingservice")] {
        let page = ops.get("/").await.expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let page = page.text();
        let version = format!("Version {}, up for 0 d 0 h ", env!("CARGO_PKG_VERSION"));
        assert!(page.contains(name) && page.contains(&version), "{page}");
        let links: Vec<_> = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        assert_eq!(links, ["metrics", "livez", "readyz", "dead"]);
        for link in links {
            ops.get(&format!("/{link}")).await.expect(200);
        }
    }
}

#[tokio::test]
async fn a_web_page_of_another_site_cannot_press_a_redrive() {
    let system = System::start();
    for ops in [&system.events_ops, &system.bookings_ops] {
        let here = ops.address().to_string();
        let pressed = async |origin: Option<&str>, host: &str| {
            let origin = origin.map_or_else(String::new, |origin| format!("Origin: {origin}\r\n"));
            let head = format!("POST /dead/redrive HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n{origin}\r\n");
            raw::send(ops.address(), head.as_bytes()).await.unwrap()
        };
        for (origin, host) in
            [("http://evil.example", &*here), ("http://evil.example", "evil.example"), ("null", &here)]
        {
            pressed(Some(origin), host).await.problem(403, "foreign-origin");
        }
        pressed(Some(&format!("http://{here}")), &here).await.expect(200);
        pressed(None, "bookings-ops:9100").await.expect(200);
    }
}
