//! The page: where it is, whom it answers, and what it forwards. What browsers see of it is tested in e2e/tests/browser.

use std::{net::TcpListener, time::Duration};

use reqwest::{Method, RequestBuilder, Response};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{
    helpers::{DEADLINE, Job, MyEvents, client, create_event, eventually, get, new_folder},
    program::{Program, healthcheck},
};

/// Where the page of a run is: the first line that it prints.
fn page(run: &MyEvents) -> String {
    let first = run.page().lines().next().unwrap().to_owned();
    assert!(first.starts_with("http://127.0.0.1:"), "{first}");
    first
}

/// A changing request as the page itself makes it.
fn from_page(method: Method, page: &str, path: &str) -> RequestBuilder {
    client().request(method, format!("{page}{path}")).header("Origin", page)
}

async fn problem(response: Response) -> (u16, String) {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap();
    (status, body["type"].as_str().unwrap().trim_start_matches("urn:myevents:problem:").to_owned())
}

#[tokio::test]
async fn the_first_line_is_the_address_of_the_page_and_it_books_cancels_and_lists() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--page-addr", "127.0.0.1:0"]).await;
    let page = page(&run);
    let html = client().get(&page).send().await.unwrap().text().await.unwrap();
    assert!(html.contains("<title>MyEvents"), "{html}");

    let event = create_event(&run, "A night", (24, 25), 5).await;
    let book = || {
        from_page(Method::POST, &page, &format!("/api/events/{event}/bookings"))
            .header("Idempotency-Key", "k1")
            .json(&json!({"seats": 2}))
    };
    let first = eventually(DEADLINE, "the event is on sale", async || {
        Some(book().send().await.unwrap()).filter(|answer| answer.status() == 201)
    })
    .await;
    let again = book().send().await.unwrap();
    assert_eq!((again.status().as_u16(), again.headers()["idempotent-replay"].as_bytes()), (200, &b"true"[..]));
    let (first, again): (Value, Value) = (first.json().await.unwrap(), again.json().await.unwrap());
    assert_eq!(first["id"], again["id"]);
    let booking = format!("/api/bookings/{}", first["id"].as_str().unwrap());
    assert_eq!(get(&format!("{page}{booking}")).await.unwrap()["seats"], 2);
    assert_eq!(get(&format!("{page}/api/events/{event}/seats")).await.unwrap()["seats_left"], 3);
    assert_eq!(get(&format!("{page}/api/events?name=a%20n&limit=1")).await.unwrap()["items"][0]["id"], event.as_str());
    assert_eq!(from_page(Method::DELETE, &page, &booking).send().await.unwrap().status(), 200);

    let wrong = from_page(Method::POST, &page, "/api/events").json(&json!({"name": ""})).send().await.unwrap();
    assert_eq!(problem(wrong).await, (400, "bad-request".into()), "the service's own words come back");
    for path in ["/api/locations", "/api/metrics", "/metrics", "/api/events/..%2f..%2fmetrics", "/api/bookings"] {
        assert_eq!(client().get(format!("{page}{path}")).send().await.unwrap().status(), 404, "{path}");
    }
    run.stop().await;
}

#[tokio::test]
async fn where_the_usual_port_is_taken_it_takes_a_free_one_and_says_so_and_an_asked_one_is_refused() {
    let usual = TcpListener::bind("127.0.0.1:8383"); // somebody else may have it, which is as good
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &[]).await;
    assert!(!page(&run).ends_with(":8383"), "{}", run.page());
    assert!(run.page().contains("127.0.0.1:8383 is taken"), "{}", run.page());
    assert_eq!(client().get(page(&run)).send().await.unwrap().status(), 200);
    drop(usual);

    let taken = page(&run).trim_start_matches("http://").to_owned();
    let (_place, other) = new_folder();
    let said = MyEvents::refused(&other, &["--page-addr", &taken], &[]).await;
    assert!(said.contains("--page-addr or PAGE_ADDR"), "{said}");
    assert!(!other.join("eventservice.db").exists(), "it leaves nothing behind");
}

#[tokio::test]
async fn without_a_page_there_is_none_and_a_thread_less() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--no-page"]).await;
    assert!(run.page().starts_with("\nMyEvents is ready.\n"), "{}", run.page());
    assert!(run.page().contains("This process has 13 threads"), "{}", run.page());
    run.stop().await;
}

#[tokio::test]
async fn what_is_wrong_with_its_options_is_said_at_once() {
    let wrong = [
        "page",
        "--page-addr=8383",
        "--page-hosts=a b",
        "--grafana-url=grafana:3000",
        "--page-play=yes",
        "--events-url=x",
    ];
    let job = Job::run(wrong);
    assert_eq!(job.code, Some(1));
    for part in ["PAGE_ADDR", "PAGE_HOSTS", "GRAFANA_URL", "PAGE_PLAY", "EVENTS_URL", "on or off"] {
        assert!(job.err.contains(part), "{part}: {}", job.err);
    }
}

#[tokio::test]
async fn apart_it_asks_the_services_that_it_is_told_of_and_may_start_no_load() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--no-page"]).await;
    let urls = run.url_options();
    let mut arguments = vec![
        "page",
        "--page-addr=127.0.0.1:0",
        "--page-hosts=Tickets.example",
        "--grafana-url=https://graphs.example/",
    ];
    arguments.extend(urls.iter().map(String::as_str));
    let program = Program::start(&arguments, &[]).await;
    let (address, page) = (program.at("page"), format!("http://{}", program.at("page")));

    assert_eq!(healthcheck("page", ("PAGE_ADDR", &address)), (Some(0), String::new()));
    let settings = get(&format!("{page}/api/settings")).await.unwrap();
    assert_eq!((&settings["grafana_url"], &settings["play"]), (&json!("https://graphs.example"), &json!(false)));
    assert_eq!(get(&format!("{page}/api/events")).await.unwrap()["items"].as_array().unwrap().len(), 3);
    let play = from_page(Method::POST, &page, "/api/play").json(&json!({"on": true})).send().await.unwrap();
    assert_eq!(problem(play).await, (403, "play-not-allowed".into()));
    let all = get(&format!("{page}/api/ready")).await.unwrap();
    assert!(all["items"].as_array().unwrap().iter().all(|one| one["report"]["ready"] == true), "{all}");

    let known = client().post(format!("{page}/api/play")).header("Host", "tickets.example");
    let known = known.header("Origin", "http://tickets.example").json(&json!({"on": true}));
    assert_eq!(problem(known.send().await.unwrap()).await.1, "play-not-allowed", "under a known name it may change");
    let at = |host: &'static str| client().get(format!("{page}/api/events")).header("Host", host);
    for (host, status) in [("tickets.example", 200), ("localhost:1", 200), ("evil.example", 421), ("192.168.0.1", 421)]
    {
        assert_eq!(at(host).send().await.unwrap().status(), status, "{host}");
        let stream = client().get(format!("{page}/api/stream")).header("Host", host).send().await.unwrap();
        assert_eq!(stream.status(), status, "the stream, {host}");
    }
    let redrive = |origin: &str| {
        let post = client().post(format!("{page}/api/dead/redrive")).header("Origin", origin.to_owned());
        post.json(&json!({})).send()
    };
    assert_eq!(problem(redrive("http://evil.example").await.unwrap()).await, (403, "foreign-origin".into()));
    assert_eq!(redrive(&page).await.unwrap().status(), 200);

    run.kill();
    let event = format!("/api/events/{}/bookings", uuid());
    let away = from_page(Method::POST, &page, &event).json(&json!({"seats": 1})).send().await.unwrap();
    assert_eq!(problem(away).await, (503, "away".into()), "nothing was sent");
    eventually(DEADLINE, "the page says that both are away", async || {
        let all = get(&format!("{page}/api/ready")).await.unwrap();
        all["items"].as_array().unwrap().iter().all(|one| one["answers"] == false).then_some(())
    })
    .await;
    program.stop().await;
}

fn uuid() -> &'static str {
    "01a22eb2-7c76-7437-985b-4e41663d1a96"
}

/// A service of which only the first request is seen. It never answers.
#[tokio::test]
async fn only_what_the_services_read_goes_on_and_no_answer_is_an_outcome_that_nobody_knows() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("--bookings-url=http://{}", silent.local_addr().unwrap());
    let program = Program::start(&["page", "--page-addr=127.0.0.1:0", &url], &[]).await;
    let page = format!("http://{}", program.at("page"));
    let path = format!("/api/events/{}/bookings?x=1", uuid());
    let post = from_page(Method::POST, &page, &path)
        .header("Cookie", "secret=1")
        .header("Authorization", "Bearer secret")
        .header("Proxy-Authorization", "secret")
        .header("TE", "trailers")
        .header("X-Forwarded-For", "secret")
        .header("Idempotency-Key", "k1")
        .json(&json!({"seats": 1}));
    let answer = tokio::spawn(post.send());
    let (mut stream, _) = silent.accept().await.unwrap();
    let sent = until(&mut stream, "{\"seats\":1}").await.to_lowercase();
    drop(stream); // the connection is lost without an answer
    for part in ["?x=1 http/1.1\r\n", "idempotency-key: k1\r\n", "content-type: application/json\r\n"] {
        assert!(sent.contains(part), "{part}: {sent}");
    }
    for word in ["secret", "cookie", "authorization", "origin", "te:"] {
        assert!(!sent.contains(word), "{word}: {sent}");
    }
    assert_eq!(problem(answer.await.unwrap().unwrap()).await, (503, "outcome-unknown".into()));
    program.stop().await;
}

/// What arrives until this word.
async fn until(stream: &mut TcpStream, word: &str) -> String {
    let (mut text, mut piece) = (String::new(), [0; 4096]);
    while !text.contains(word) {
        let read = tokio::time::timeout(Duration::from_secs(10), stream.read(&mut piece)).await.unwrap().unwrap();
        assert!(read > 0, "{text}");
        text += std::str::from_utf8(&piece[..read]).unwrap();
    }
    text
}

/// As a web page's form sends it, byte by byte: without an Origin, or two of a header, nothing is done.
#[tokio::test]
async fn what_no_page_of_ours_sends_is_refused_before_it_is_read() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--page-addr", "127.0.0.1:0"]).await;
    let page = page(&run);
    let host = page.trim_start_matches("http://");
    let ours = format!("Host: {host}\r\nOrigin: {page}\r\n");
    for (head, status) in [
        (format!("POST /api/play HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\n"), 403),
        (format!("POST /api/play HTTP/1.1\r\n{ours}Content-Type: text/plain\r\n"), 415),
        (format!("POST /api/play HTTP/1.1\r\n{ours}Host: {host}\r\nContent-Type: application/json\r\n"), 421),
        (format!("POST /api/play HTTP/1.1\r\nHost: {host}\r\nOrigin: null\r\nContent-Type: application/json\r\n"), 403),
        (format!("GET http://evil.example/api/events HTTP/1.1\r\nHost: {host}\r\n"), 421),
        (format!("GET /api/events HTTP/1.1\r\nHost: {host}@evil.example\r\n"), 421),
    ] {
        let mut stream = TcpStream::connect(host).await.unwrap();
        let request = format!("{head}Connection: close\r\nContent-Length: 11\r\n\r\n{{\"on\":true}}");
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).await.unwrap();
        let first = answer.lines().next().unwrap_or_default();
        assert!(first.contains(&format!(" {status} ")) || first.contains(" 400 "), "{head}: {first}");
    }
    assert_eq!(get(&format!("{page}/api/play")).await.unwrap()["on"], false);
    run.stop().await;
}
