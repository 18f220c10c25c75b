//! From a slow point of a graph to the request behind it: exemplars have the trace id of the caller, and that leads to the story.

use e2e::{SOON, System, api::send, eventually, forms::OPEN_METRICS};
use reqwest::{Method, header::ACCEPT};
use serde_json::json;

use crate::steps::{bookings_of, seats};

const TRACE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";

#[tokio::test]
async fn the_trace_of_a_booking_is_an_exemplar_of_all_that_was_measured_about_it() {
    let Some(system) = System::start_own("the exemplars of one request") else { return };
    let event = seats(&system, 10).await;
    let request = system.bookings.request(Method::POST, &bookings_of(&event)).json(&json!({"seats": 1}));
    let booking = send(request.header("traceparent", format!("00-{TRACE}-00f067aa0ba902b7-01"))).await.expect(201).id();

    let measured = [
        (
            &system.bookings_ops,
            "myevents_request_duration_seconds_bucket{method=\"POST\",route=\"/events/{id}/bookings\"",
        ),
        (&system.bookings_ops, "myevents_messages_publish_duration_seconds_bucket"),
        (
            &system.events_ops,
            "myevents_messages_process_duration_seconds_bucket{message=\"eventBooked\",queue=\"eventservice\"",
        ),
        (&system.events_ops, "myevents_message_age_seconds_bucket"),
    ];
    for (ops, series) in measured {
        let exemplar = format!(" # {{trace_id=\"{TRACE}\"}} ");
        let shown = async || {
            let text = send(ops.request(Method::GET, "/metrics").header(ACCEPT, OPEN_METRICS)).await.expect(200).text();
            text.lines().any(|line| line.starts_with(series) && line.contains(&exemplar)).then_some(())
        };
        eventually(SOON, series, shown).await;
        assert!(!ops.get("/metrics").await.expect(200).text().contains(TRACE), "the text form has no exemplars");
    }
    let story = system.bookings_ops.get(&format!("/traces/{TRACE}")).await.expect(200).text();
    assert!(story.contains(&booking), "{story}");
}
