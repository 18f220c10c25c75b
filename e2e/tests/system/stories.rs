//! One request's story: what is known of it, and what is not.

use e2e::{SOON, System, answer::text, api::send, eventually};
use reqwest::Method;
use serde_json::{Value, json};

use crate::steps::{book, bookings_of, seats, view_shows};

const STEPS: [&str; 7] = ["received", "reserved", "stored", "answered", "published", "confirmed", "applied"];
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";

/// When a step happened; empty where that is unknown.
fn at(story: &Value, step: &str) -> String {
    let steps = story["steps"].as_array().unwrap();
    let found = steps.iter().find(|known| known["step"] == step).unwrap_or_else(|| panic!("no {step} in {story}"));
    found["at"].as_str().unwrap_or_default().to_owned()
}

/// The steps that it may have.
fn steps(story: &Value) -> Vec<&str> {
    story["steps"].as_array().unwrap().iter().map(|known| known["step"].as_str().unwrap()).collect()
}

async fn timeline(system: &System, booking: &str) -> Value {
    system.bookings.get(&format!("/bookings/{booking}/timeline")).await.expect(200).json()
}

/// The stories of a trace, or that of what has this id, once all steps of the last one are known.
async fn complete(system: &System, id: &str) -> Vec<Value> {
    eventually(SOON, &format!("the story of {id} is complete"), || async {
        let answer = system.bookings_ops.get(&format!("/traces/{id}")).await;
        let items = (answer.status == 200).then(|| answer.json()["items"].as_array().unwrap().clone())?;
        let known = items.last().unwrap()["steps"].as_array().unwrap().iter().all(|step| !step["at"].is_null());
        known.then_some(items)
    })
    .await
}

#[tokio::test]
async fn one_process_knows_every_step_of_a_booking_in_its_order() {
    let Some(system) = System::start_own("every step in one process") else { return };
    let event = seats(&system, 10).await;
    let made = book(&system, &event, 2).await.expect(201);
    let booking = made.id();

    let [story] = &complete(&system, &booking).await[..] else { panic!("one story") };

    let times = STEPS.map(|step| at(story, step));
    assert!(times[..3].is_sorted() && times[2] <= times[4] && times[4] <= times[6], "{times:?}");
    assert!(times[2] <= times[3], "answered only after it is stored: {times:?}");
    assert!(times[6] <= times[5], "in one process the confirm is that the work is done: {times:?}");
    let request = ("POST".into(), "/events/{id}/bookings".into(), 201.into());
    assert_eq!((story["method"].clone(), story["route"].clone(), story["status"].clone()), request);
    assert_eq!(text(story, "resource_id"), booking);
    assert_eq!(text(story, "trace_id"), made.header("x-request-id").unwrap().replace('-', ""));

    let shown = timeline(&system, &booking).await;
    assert_eq!((text(&shown, "booking_id"), text(&shown, "trace_id")), (booking, text(story, "trace_id")));
    assert_eq!(STEPS.map(|step| at(&shown, step)), times);
}

#[tokio::test]
async fn the_trace_of_the_caller_is_that_of_the_story_and_several_requests_may_belong_to_it() {
    let Some(system) = System::start_own("the story of a trace") else { return };
    let event = seats(&system, 10).await;
    let sent = |method: Method, path: &str| {
        let request = system.bookings.request(method, path);
        request.header("traceparent", format!("00-{TRACE}-b7ad6b7169203331-01"))
    };
    let booking = send(sent(Method::POST, &bookings_of(&event)).json(&json!({"seats": 2}))).await.expect(201).id();
    let path = format!("/bookings/{booking}");
    send(sent(Method::GET, &path)).await.expect(200);
    view_shows(&system, &event, 2).await;
    send(sent(Method::DELETE, &path)).await.expect(200);
    view_shows(&system, &event, 0).await;

    let stories = complete(&system, TRACE).await;

    let methods: Vec<_> = stories.iter().map(|story| text(story, "method")).collect();
    assert_eq!(methods, ["POST", "GET", "DELETE"]);
    assert!(stories.iter().all(|story| text(story, "trace_id") == TRACE), "{stories:?}");
    assert_eq!(stories[1]["steps"].as_array().unwrap().len(), 2, "it only reads: {}", stories[1]);
    assert_eq!(stories[2]["message_ids"].as_array().unwrap().len(), 2, "bookingCancelled and seatsChanged");
    assert!(!steps(&stories[2]).contains(&"reserved"), "a cancellation takes nothing: {}", stories[2]);
    assert!(at(&stories[2], "published") < at(&stories[2], "applied"), "{}", stories[2]);
    let [made] = &complete(&system, &booking).await[..] else { panic!("one story") };
    assert_eq!(
        (text(made, "method"), text(&timeline(&system, &booking).await, "trace_id")),
        ("POST".into(), TRACE.into())
    );
}

#[tokio::test]
async fn a_request_id_that_is_a_uuid_is_the_trace_id_and_any_other_is_not() {
    let Some(system) = System::start_own("the trace of a request id") else { return };
    for (id, trace) in [
        ("0af76519-16cd-43dd-8448-eb211c80319c", Some(TRACE)),
        ("my-own-request-1", None),
        ("00000000-0000-0000-0000-000000000000", None),
    ] {
        let request = system.events.request(Method::GET, "/events?limit=1").header("X-Request-Id", id);
        assert_eq!(send(request).await.expect(200).header("x-request-id"), Some(id));
        if let Some(trace) = trace {
            let [story] = &complete(&system, trace).await[..] else { panic!("one story") };
            let request = (text(story, "method"), text(story, "route"), story["status"].clone());
            assert_eq!(request, ("GET".into(), "/events".into(), 200.into()));
            assert!(at(story, "received") <= at(story, "answered"));
        }
    }
    system.events_ops.get(&format!("/traces/{}", "0".repeat(32))).await.problem(400, "bad-request");
}

#[tokio::test]
async fn the_replay_under_a_key_has_a_story_of_its_own() {
    let Some(system) = System::start_own("the story of a replay") else { return };
    let event = seats(&system, 10).await;
    let book = async || system.bookings.post_once(&bookings_of(&event), "key-1", &json!({"seats": 1})).await;
    let (made, replayed) = (book().await.expect(201), book().await.expect(200));
    let trace = |answer: &e2e::Answer| answer.header("x-request-id").unwrap().replace('-', "");

    let [replay] = &complete(&system, &trace(&replayed)).await[..] else { panic!("one story") };

    assert_eq!(steps(replay), ["received", "answered"], "it changes nothing");
    assert_eq!((text(replay, "resource_id"), replay["status"].clone()), (made.id(), 200.into()));
    assert_eq!(text(&complete(&system, &made.id()).await[0], "trace_id"), trace(&made));
}

#[tokio::test]
async fn a_request_that_is_refused_and_one_that_repeats_an_earlier_one_have_no_steps_of_a_change() {
    let Some(system) = System::start_own("the story of a refusal") else { return };
    let event = seats(&system, 1).await;
    let trace = |answer: &e2e::Answer| answer.header("x-request-id").unwrap().replace('-', "");
    let booking = book(&system, &event, 1).await.expect(201).id();
    let sold_out = book(&system, &event, 1).await.expect(409);
    let cancel = async || send(system.bookings.request(Method::DELETE, &format!("/bookings/{booking}"))).await;
    cancel().await.expect(200);
    for (answer, about) in [(sold_out, None), (cancel().await.expect(200), Some(booking.as_str()))] {
        let [story] = &complete(&system, &trace(&answer)).await[..] else { panic!("one story") };
        assert_eq!((steps(story), story["resource_id"].as_str()), (vec!["received", "answered"], about), "{story}");
    }
}

#[tokio::test]
async fn what_another_process_did_before_is_unknown_and_never_guessed() {
    let Some(system) = System::start_own("what is known after a kill") else { return };
    let event = seats(&system, 10).await;
    let booking = book(&system, &event, 2).await.expect(201).id();
    view_shows(&system, &event, 2).await;
    complete(&system, &booking).await;

    let system = system.kill_and_start_again();

    let shown = timeline(&system, &booking).await;
    assert_eq!((&shown["trace_id"], STEPS.map(|step| at(&shown, step))), (&Value::Null, [const { String::new() }; 7]));
    let nobody = system.bookings_ops.get(&format!("/traces/{booking}")).await;
    nobody.problem(404, "not-found");
    assert!(text(&nobody.json(), "detail").contains("its last 10000 stories since its start"), "{nobody:?}");
    system.bookings.get(&format!("/bookings/{event}/timeline")).await.problem(404, "not-found");
    system.bookings_ops.get("/traces/what").await.problem(400, "bad-request");
    assert!(system.bookings_ops.get("/").await.expect(200).text().contains("/traces/"));
}

#[tokio::test]
async fn what_the_event_service_makes_has_a_story_too() {
    let Some(system) = System::start_own("the story of an event") else { return };
    let event = seats(&system, 10).await;
    let [story] = &complete(&system, &event).await[..] else { panic!("one story") };
    assert_eq!((text(story, "route"), text(story, "resource_id")), ("/events".into(), event));
}
