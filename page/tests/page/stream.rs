//! What a stream tells.

use std::time::Duration;

use serde_json::Value;
use testing::told::Stream;

use crate::system::{DEADLINE, System};

/// All numbers in it.
fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Number(number) => vec![number.as_f64().unwrap()],
        Value::Array(all) => all.iter().flat_map(numbers).collect(),
        Value::Object(all) => all.values().flat_map(numbers).collect(),
        Value::Null | Value::Bool(_) | Value::String(_) => Vec::new(),
    }
}

#[tokio::test]
async fn it_begins_with_the_history_and_goes_on_with_samples_seats_and_the_load() {
    let system = System::start().await;
    system.create("Chamber Music").await;
    let mut stream = system.stream("?list=name%3DChamber%26limit%3D2").await;
    let first = stream.next().await.unwrap();
    assert_eq!((first.name.as_str(), first.data["items"].as_array().unwrap().len()), ("history", 0));
    let (mut seats, mut play, mut samples) = (None, None, Vec::new());
    while samples.len() < 2 || seats.is_none() || play.is_none() {
        let told = stream.next().await.unwrap();
        match told.name.as_str() {
            "sample" => samples.push((told.id.unwrap(), told.data)),
            "seats" => seats = Some(told.data),
            "play" => play = Some(told.data),
            other => panic!("{other}"),
        }
    }
    assert_eq!(seats.unwrap()["items"][0]["name"], "Chamber Music");
    assert_eq!(play.unwrap()["on"], false);
    let ((first, before), (second, now)) = (&samples[0], &samples[1]);
    assert_eq!((before["gap"].as_bool(), now["gap"].as_bool(), *second), (Some(true), Some(false), first + 1));
    let apart = now["at"].as_u64().unwrap() - before["at"].as_u64().unwrap();
    assert!((1_000..4_000).contains(&apart), "{apart} ms");
    for service in ["events", "bookings"] {
        let service = &now["services"][service];
        assert_eq!(
            (&service["replicas"], &service["answering"], &service["shared"]),
            (&1.into(), &1.into(), &true.into())
        );
        assert!(
            service["memory"].as_u64().unwrap() > 1_000_000 && service["threads"].as_u64().unwrap() > 4,
            "{service}"
        );
    }

    let mut later = system.stream("").await;
    let history = later.next().await.unwrap();
    assert!(history.data["items"].as_array().unwrap().len() >= 2);
    assert_eq!(&history.data["items"][0], before, "the same for all who look");
}

#[tokio::test]
async fn a_booking_moves_the_seats_within_two_seconds() {
    let system = System::start().await;
    let (event, mut stream) = (system.create("Jazz").await, system.stream("?list=limit%3D5").await);
    let seats = |page: &Value| page["items"][0]["booked_seats"].as_u64();
    stream.within(DEADLINE, "seats", |page| seats(page) == Some(0)).await;
    system.book(&event).await;
    stream.within(Duration::from_secs(2), "seats", |page| seats(page) == Some(2)).await;
    let sample = stream.within(Duration::from_secs(5), "sample", |sample| sample["totals"]["bookings"] == 1).await;
    assert_eq!(sample["totals"]["booked_seats"], 2);
}

#[tokio::test]
async fn who_comes_back_gets_what_was_missed_and_nothing_twice() {
    let system = System::start().await;
    let mut stream = system.stream("").await;
    let mut seen = Vec::new();
    while seen.len() < 2 {
        seen.extend(stream.next().await.unwrap().id);
    }
    drop(stream);
    tokio::time::sleep(Duration::from_secs(3)).await; // a sample that the browser misses
    let last = seen[1].to_string();
    let by_header = system.request("/api/stream").header("Last-Event-ID", &last).send().await.unwrap();
    let by_query = system.get(&format!("/api/stream?after={last}")).await.unwrap();
    for response in [by_header, by_query] {
        let mut stream = Stream::of(response);
        let history = stream.next().await.unwrap();
        let ids = history.data["items"].as_array().unwrap().iter().map(|sample| sample["id"].as_u64().unwrap());
        let ids: Vec<_> = ids.collect();
        assert!(!ids.is_empty() && history.id == ids.last().copied(), "{ids:?}");
        let next = stream.until("sample").await["id"].as_u64().unwrap();
        let right: Vec<_> = (seen[1] + 1..=next).collect();
        assert_eq!([&ids[..], &[next]].concat(), right);
    }
    // A number of the future is one of another run of the page.
    let mut stream = system.stream("?after=99999999999").await;
    assert!(stream.next().await.unwrap().data["items"].as_array().unwrap().len() >= 3);
}

#[tokio::test]
async fn a_process_that_was_killed_and_started_again_is_named_and_no_number_is_negative() {
    let mut system = System::start().await;
    let (event, mut stream) = (system.create("Rock").await, system.stream("").await);
    stream.until("sample").await; // what was booked before the first one is of no rate
    system.book(&event).await;
    stream.within(DEADLINE, "sample", |sample| sample["way"]["stored"].as_f64() > Some(0.0)).await;
    system.kill_services();
    let away = stream.within(DEADLINE, "sample", |sample| sample["services"]["bookings"]["answering"] == 0).await;
    assert_eq!((&away["services"]["bookings"]["replicas"], &away["way"]["outbox"]), (&1.into(), &Value::Null));
    let mut other = system.stream("").await;
    let problem = other.within(DEADLINE, "seats", |page| page["problem"].is_object()).await;
    assert_eq!(problem["problem"]["type"], "urn:myevents:problem:away");

    system.start_services().await;
    let mut named = 0;
    for _ in 0..4 {
        let sample = stream.within(DEADLINE, "sample", |sample| sample["services"]["bookings"]["answering"] == 1).await;
        assert!(numbers(&sample).iter().all(|number| *number >= 0.0), "{sample}");
        named += sample["services"]["bookings"]["restarts"].as_array().unwrap().len();
    }
    assert_eq!(named, 1, "once");
    other.within(DEADLINE, "seats", |page| page["items"].is_array()).await;
}
