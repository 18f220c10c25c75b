//! The metrics that are there, those that are not, and the zeros that must be there from the start.

use std::collections::BTreeSet;

use e2e::{
    Api, Exposition, System,
    catalogue::{self, Part},
};

use crate::steps::{book, seats, view_shows};

#[tokio::test]
async fn metrics_are_served_on_both_ops_ports_with_the_exact_content_type() {
    let system = System::start();
    for ops in [&system.events_ops, &system.bookings_ops] {
        let answer = ops.get("/metrics").await.expect(200);
        assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    }
}

#[tokio::test]
async fn each_service_has_exactly_the_metrics_of_the_parts_it_has() {
    let system = System::start();
    let event = seats(&system, 10).await;
    book(&system, &event, 1).await.expect(201);
    view_shows(&system, &event, 1).await;
    for (ops, own) in [(&system.events_ops, Part::Events), (&system.bookings_ops, Part::Bookings)] {
        let wrong = catalogue::differences(&ops.metrics().await, &[Part::Service, Part::Sqlite, own]);
        assert_eq!(wrong, Vec::<String>::new());
    }
}

#[tokio::test]
async fn the_process_says_that_both_services_share_its_threads_and_memory() {
    let Some(system) = System::start_own("how many services share a process") else { return };
    for ops in [&system.events_ops, &system.bookings_ops] {
        let services = ops.metrics().await.sum("myevents_services_in_process", &[]);
        assert!((services - 2.0).abs() < 0.1, "{services}");
    }
}

#[tokio::test]
async fn what_can_happen_is_there_at_zero_before_it_happened() {
    let Some(system) = System::start_own("zeros from the start") else { return };
    let (events, bookings) = (system.events_ops.metrics().await, system.bookings_ops.metrics().await);
    zeros(
        &bookings,
        "myevents_booking_rejections_total",
        "reason",
        &["conflict", "invalid", "not_found", "outcome_unknown", "sold_out", "unavailable"],
    );
    for metrics in [&events, &bookings] {
        zeros(
            metrics,
            "myevents_http_rejected_total",
            "reason",
            &["bad_request", "body_too_large", "overload", "timeout"],
        );
        zeros(metrics, "myevents_outbox_dispatched_total", "result", &["ok", "retry"]);
        zeros(
            metrics,
            "myevents_messages_published_total",
            "result",
            &["confirmed", "error", "nacked", "returned", "timeout"],
        );
        zeros(
            metrics,
            "myevents_messages_consumed_total",
            "result",
            &["acked", "duplicate", "rejected", "requeued", "stale"],
        );
    }
    zeros(&events, "myevents_messages_published_total", "message", &["eventCreated", "locationCreated"]);
    zeros(&events, "myevents_messages_consumed_total", "message", &["eventBooked", "resyncRequested", "seatsChanged"]);
    zeros(
        &bookings,
        "myevents_messages_published_total",
        "message",
        &["bookingCancelled", "eventBooked", "seatsChanged"],
    );
    zeros(&bookings, "myevents_messages_consumed_total", "message", &["eventCreated", "resyncRequested"]);
    zeros(&bookings, "myevents_label_overflow_total", "metric", &["myevents_bookings_count"]);
    for (metrics, route) in [(&events, "/events"), (&bookings, "/events/{id}/bookings")] {
        let created = [("method", "POST"), ("route", route), ("status", "201")];
        assert_eq!(metrics.samples("myevents_request_total", &created).count(), 1, "{route}");
        a_panic_would_be_seen(metrics);
    }
}

/// No route documents a 500. If its series began with the first panic, at 1, `rate()` would not see that one.
fn a_panic_would_be_seen(metrics: &Exposition) {
    let documented = metrics.samples("myevents_request_total", &[]).filter(|sample| sample.value < 0.5);
    for sample in documented {
        let [method, route] = ["method", "route"].map(|label| sample.labels[label].as_str());
        let panicked = [("method", method), ("route", route), ("status", "500")];
        let found: Vec<_> = metrics.samples("myevents_request_total", &panicked).map(|sample| sample.value).collect();
        assert_eq!(found, [0.0], "{panicked:?}");
    }
}

fn zeros(metrics: &Exposition, name: &str, label: &str, values: &[&str]) {
    let found: BTreeSet<_> = metrics.samples(name, &[]).map(|sample| sample.labels[label].as_str()).collect();
    assert_eq!(found, values.iter().copied().collect(), "{name}");
    assert!(metrics.sum(name, &[]) < 0.5, "{name}");
}

#[tokio::test]
async fn a_route_is_a_template_and_a_method_one_that_is_known() {
    let system = System::start();
    for (api, ops) in [(&system.events, &system.events_ops), (&system.bookings, &system.bookings_ops)] {
        for path in ["/nowhere/1", "/nowhere/2", "/events/1", "/events/2"] {
            api.get(path).await;
            e2e::api::send(api.request("BREW".parse().unwrap(), path)).await;
        }
        only_templates(api, ops).await;
    }
}

async fn only_templates(api: &Api, ops: &Api) {
    let document = api.get("/openapi.json").await.json();
    let mut routes: BTreeSet<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
    routes.extend(["unmatched", "/", "/docs", "/docs/", "/docs/{file}", "/openapi.json"]);
    let metrics = ops.metrics().await;
    for sample in metrics.samples("myevents_request_total", &[]) {
        assert!(routes.contains(sample.labels["route"].as_str()), "{sample:?}");
    }
    assert!(metrics.sum("myevents_request_total", &[("route", "unmatched"), ("method", "_OTHER")]) > 1.5);
    assert!(metrics.sum("myevents_request_total", &[("route", "/events/{id}"), ("status", "400")]) > 1.5);
    assert_eq!(metrics.samples("myevents_request_total", &[("method", "BREW")]).count(), 0);
}
