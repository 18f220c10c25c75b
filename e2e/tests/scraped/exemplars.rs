//! From a slow point of a graph to the one request behind it: a request's trace id is found by the expression of a panel.

use e2e::{
    SOON,
    api::send,
    dashboard::{Dashboard, all, list, with_values},
    eventually,
};
use reqwest::Method;

use crate::{
    server,
    system::{System, configuration},
};

/// What panels with exemplars ask for.
fn asked() -> Vec<String> {
    let of = |dashboard: &Dashboard| {
        let targets = dashboard.panels().flat_map(|panel| list(&panel["targets"]));
        let marked = targets.filter(|target| target["exemplar"] == true);
        marked.map(|target| with_values(target["expr"].as_str().unwrap())).collect::<Vec<_>>()
    };
    all().iter().flat_map(of).collect()
}

#[tokio::test]
async fn a_booking_with_a_traceparent_is_found_in_every_graph_that_shows_exemplars() {
    let Some(program) = server::program() else { return };
    let system = System::start(&[]);
    let jobs = ["eventservice", "bookingservice"].map(|job| system.job(job, Some("PrometheusProto")));
    let running = server::run(&program, &[&server::features()], &configuration(&jobs)).await;
    eventually(SOON, "all are scraped", async || running.prometheus.query("up == 1").await.len() == 4).await;
    let event = system.event("Traced").await;

    let trace = "0af7651916cd43dd8448eb211c80319c";
    let booking = system.server.bookings().request(Method::POST, &format!("/events/{event}/bookings"));
    let booking = booking.header("traceparent", format!("00-{trace}-b7ad6b7169203331-01"));
    send(booking.json(&serde_json::json!({"seats": 2}))).await.expect(201);
    assert!(asked().len() >= 5, "{:?}", asked());
    for expression in asked() {
        let found = async || running.prometheus.exemplars(&expression).await.contains(trace);
        eventually(SOON, &format!("the exemplar of the booking in {expression}"), found).await;
    }
}
