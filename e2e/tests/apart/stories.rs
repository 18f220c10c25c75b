//! One request's story, of which each process knows a part.

use e2e::{SOON, api::send, eventually, samples};
use reqwest::Method;
use serde_json::json;

use crate::{
    tools::{run, said, trace},
    world::World,
};

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// Who has told of a step in the picture; `unknown` where nobody has.
fn who(picture: &str, step: &str) -> String {
    let line = picture.lines().find(|line| line.trim_start().starts_with(step));
    let line = line.unwrap_or_else(|| panic!("no {step} in\n{picture}"));
    let words: Vec<_> = line.split_whitespace().collect();
    if line.contains("unknown") { "unknown".into() } else { words[words.len() - 2].to_owned() }
}

#[tokio::test]
async fn the_halves_of_both_services_are_joined_and_what_a_killed_one_knew_is_unknown() {
    let Some(mut world) = World::start_to_kill(1).await else { return };
    let event = world.event(&samples::unique("Traced"), 10).await;
    let traced = |method, path: &str| {
        let request = world.bookings[0].rest.request(method, path);
        request.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
    };
    let post = traced(Method::POST, &format!("/events/{event}/bookings")).json(&json!({"seats": 2}));
    let booking = send(post).await.expect(201).id();

    let joined = eventually(SOON, "every step is known", async || {
        let output = run(trace(&world, &booking));
        (output.status.code() == Some(0)).then(|| said(&output)).filter(|picture| !picture.contains("unknown"))
    })
    .await;

    assert!(joined.contains(&format!("trace {TRACE}: POST /events/{{id}}/bookings, answered with 201")), "{joined}");
    for step in ["received", "reserved", "stored", "answered", "published", "confirmed"] {
        assert_eq!(who(&joined, step), "bookingservice", "{step}\n{joined}");
    }
    assert_eq!(who(&joined, "applied"), "eventservice", "{joined}");

    // A cancellation is in the trace, too, as one story with its two messages.
    send(traced(Method::DELETE, &format!("/bookings/{booking}"))).await.expect(200);
    eventually(SOON, "the cancellation was applied", async || {
        let picture = said(&run(trace(&world, TRACE)));
        let cancelled = picture.split("DELETE /bookings/{id}, answered with 200").nth(1)?;
        (picture.matches("trace ").count() == 2 && who(cancelled, "applied") == "eventservice").then_some(())
    })
    .await;

    world.bookings[0].kill();
    world.bookings[0].start_again();
    world.ready().await;
    assert_eq!(run(trace(&world, &booking)).status.code(), Some(1), "nobody knows what the booking's trace was");
    let left = said(&run(trace(&world, TRACE)));
    assert_eq!((who(&left, "applied"), who(&left, "stored")), ("eventservice".into(), "unknown".into()), "{left}");
    let timeline = world.bookings[0].rest.get(&format!("/bookings/{booking}/timeline")).await.expect(200).json();
    assert!(timeline["steps"].as_array().unwrap().iter().all(|step| step["at"].is_null()), "{timeline}");
}
