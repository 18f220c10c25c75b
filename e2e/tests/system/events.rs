//! Creating events and looking at them.

use e2e::{System, samples};
use serde_json::json;

#[tokio::test]
async fn an_event_is_answered_as_it_was_sent_with_its_place_and_its_seats() {
    let system = System::start();
    let name = samples::unique("Sigur Rós");
    let created = system.events.post("/events", &samples::event(&name, 50)).await.expect(201);
    let id = created.id();
    assert_eq!(created.header("location"), Some(format!("/events/{id}").as_str()));
    assert_eq!(created.header("content-type"), Some("application/json"));
    let whole = json!({
        "id": id, "name": name, "start_date": samples::START, "end_date": samples::END,
        "capacity": 50, "booked_seats": 0, "seats_left": 50,
    });
    assert_eq!(created.json(), whole);
    assert_eq!(system.events.get(&format!("/events/{id}")).await.expect(200).json(), whole);
}

#[tokio::test]
async fn an_id_is_a_uuid_of_version_7() {
    let system = System::start();
    let id = system.events.post("/events", &samples::unlimited(&samples::unique("Id"))).await.expect(201).id();
    assert_eq!((id.len(), id.as_bytes()[14]), (36, b'7'), "{id}");
}

#[tokio::test]
async fn an_event_without_a_capacity_shows_no_seats_left() {
    let system = System::start();
    let event = system.events.post("/events", &samples::unlimited(&samples::unique("Open air"))).await.expect(201);
    let event = event.json();
    assert_eq!(event["booked_seats"], 0);
    assert!(event.get("seats_left").is_none() && event.get("capacity").is_none(), "{event}");
}

#[tokio::test]
async fn an_instant_with_an_offset_becomes_utc_and_is_cut_to_milliseconds() {
    let system = System::start();
    let body = json!({
        "name": samples::unique("Offset"),
        "start_date": "2100-11-21T09:00:00.123999+01:00", "end_date": "2100-11-21T03:30:00-05:30",
    });
    let event = system.events.post("/events", &body).await.expect(201).json();
    assert_eq!(event["start_date"], "2100-11-21T08:00:00.123Z");
    assert_eq!(event["end_date"], "2100-11-21T09:00:00.000Z");
}

#[tokio::test]
async fn a_name_of_200_characters_is_kept_whatever_the_script() {
    let system = System::start();
    for name in ["票".repeat(200), "\"quoted\" \\ 'single' & <b>".to_owned(), "🎷".repeat(200)] {
        let event = system.events.post("/events", &samples::unlimited(&name)).await.expect(201);
        assert_eq!(event.json()["name"], name);
    }
}

#[tokio::test]
async fn an_event_at_a_location_names_it() {
    let system = System::start();
    let place = system.events.post("/locations", &samples::location(&samples::unique("Harpa"))).await.expect(201).id();
    let mut body = samples::unlimited(&samples::unique("Opera"));
    body["location_id"] = json!(place);
    let event = system.events.post("/events", &body).await.expect(201).json();
    assert_eq!(event["location_id"], json!(place));
}

#[tokio::test]
async fn an_event_at_an_unknown_location_is_a_422_that_names_the_field() {
    let system = System::start();
    let mut body = samples::unlimited(&samples::unique("Nowhere"));
    body["location_id"] = json!(samples::NOBODY);
    let answer = system.events.post("/events", &body).await;
    answer.problem(422, "invalid-value");
    assert_eq!(answer.fields(), ["location_id"]);
}

#[tokio::test]
async fn an_unknown_event_is_a_404_in_both_services_and_the_booking_service_says_when_to_ask_again() {
    let system = System::start();
    let path = format!("/events/{}", samples::NOBODY);
    let answer = system.events.get(&path).await;
    answer.problem(404, "not-found");
    assert_eq!(answer.header("retry-after"), None);
    let bookings = format!("{path}/bookings");
    for answer in [
        system.bookings.get(&path).await,
        system.bookings.get(&bookings).await,
        system.bookings.post(&bookings, &json!({"seats": 1})).await,
    ] {
        let problem = answer.problem(404, "not-found");
        assert_eq!(answer.header("retry-after"), Some("1"));
        assert!(problem["detail"].as_str().unwrap().contains("moment"), "{problem}");
    }
}
