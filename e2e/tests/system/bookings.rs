//! Booking seats, and the lists of bookings.

use e2e::{Api, System, answer::text, api::send, samples};
use reqwest::Method;
use serde_json::{Value, json};

use crate::steps::{all_pages, book, bookings_of, ids, on_sale, seats, stock};

#[tokio::test]
async fn seats_alone_book_for_guest_and_the_answer_names_the_booking_and_its_place() {
    let system = System::start();
    let name = samples::unique("Tango");
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    let made = book(&system, &event, 2).await.expect(201);
    let booking = made.json();
    let id = made.id();
    assert_eq!(made.header("location"), Some(format!("/bookings/{id}").as_str()));
    assert_eq!(made.header("idempotent-replay"), None);
    assert_eq!(id.as_bytes()[14], b'7', "without a key the id is a UUID of version 7: {id}");
    let at = text(&booking, "booked_at");
    assert!(at.len() == 24 && at.ends_with('Z'), "milliseconds in UTC: {at}");
    let whole = json!({
        "id": id, "event_id": event, "event_name": name, "user_id": "guest", "seats": 2, "status": "confirmed",
        "booked_at": at,
    });
    assert_eq!(booking, whole);
    assert_eq!(system.bookings.get(&format!("/bookings/{id}")).await.expect(200).json(), whole);
}

/// JSON Schema calls each of these an integer.
#[tokio::test]
async fn a_whole_number_may_be_written_with_a_point_or_an_exponent() {
    let system = System::start();
    let post = async |api: &Api, path: &str, body: String| {
        let request = api.request(Method::POST, path).header("Content-Type", "application/json").body(body);
        send(request).await.expect(201).json()
    };
    let name = samples::unique("Whole");
    let dates = r#""start_date": "2100-05-01T18:00:00Z", "end_date": "2100-05-01T22:00:00Z""#;
    let event = post(&system.events, "/events", format!(r#"{{"name": "{name}", "capacity": 1e2, {dates}}}"#)).await;
    assert_eq!(event["capacity"], 100);
    let halls = r#"[{"name": "h", "capacity": 1000000.0}]"#;
    let body = format!(r#"{{"name": "{name}", "address": "a", "country": "c", "halls": {halls}}}"#);
    assert_eq!(post(&system.events, "/locations", body).await["halls"][0]["capacity"], 1_000_000);
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    for seats in ["2.0", "2e0", "0.2E+1"] {
        let booking = post(&system.bookings, &bookings_of(&event), format!(r#"{{"seats": {seats}}}"#)).await;
        assert_eq!(booking["seats"], 2, "{seats}");
    }
}

#[tokio::test]
async fn a_booking_belongs_to_the_user_who_is_named() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let user = "莉".repeat(100);
    let made = system.bookings.post(&bookings_of(&event), &json!({"seats": 1, "user_id": user})).await.expect(201);
    assert_eq!(made.json()["user_id"], user);
}

#[tokio::test]
async fn each_booking_lowers_what_is_left_and_raises_the_version_by_one() {
    let system = System::start();
    let name = samples::unique("Stock");
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    let left = |left: u64, booked: u64, version: u64| json!({"id": event, "name": name, "capacity": 10, "seats_left": left, "booked_seats": booked, "version": version});
    assert_eq!(stock(&system, &event).await, left(10, 0, 0));
    book(&system, &event, 3).await.expect(201);
    assert_eq!(stock(&system, &event).await, left(7, 3, 1));
    book(&system, &event, 7).await.expect(201);
    assert_eq!(stock(&system, &event).await, left(0, 10, 2));
}

#[tokio::test]
async fn more_seats_than_are_left_are_a_409_and_fewer_can_still_be_booked() {
    let system = System::start();
    let event = seats(&system, 3).await;
    book(&system, &event, 2).await.expect(201);
    book(&system, &event, 2).await.problem(409, "sold-out");
    book(&system, &event, 1).await.expect(201);
    book(&system, &event, 1).await.problem(409, "sold-out");
    assert_eq!(stock(&system, &event).await["booked_seats"], 3);
}

#[tokio::test]
async fn an_event_without_a_capacity_never_sells_out_and_shows_no_seats_left() {
    let system = System::start();
    let event = on_sale(&system, &samples::unlimited(&samples::unique("Park"))).await;
    for _ in 0..3 {
        book(&system, &event, 100).await.expect(201);
    }
    let stock = stock(&system, &event).await;
    assert_eq!(stock["booked_seats"], 300);
    assert!(stock.get("seats_left").is_none() && stock.get("capacity").is_none(), "{stock}");
}

#[tokio::test]
async fn an_event_that_is_over_cannot_be_booked_any_more() {
    let system = System::start();
    let past = json!({
        "name": samples::unique("Woodstock"),
        "start_date": "1969-08-15T21:07:00.000Z", "end_date": "1969-08-18T13:10:00.000Z",
    });
    let event = on_sale(&system, &past).await;
    book(&system, &event, 1).await.problem(409, "event-over");
}

#[tokio::test]
async fn from_1_to_100_seats_can_be_booked_at_once() {
    let system = System::start();
    let event = seats(&system, 1000).await;
    for right in [1, 100] {
        book(&system, &event, right).await.expect(201);
    }
    for wrong in [0, 101] {
        let answer = book(&system, &event, wrong).await;
        answer.problem(422, "invalid-value");
        assert_eq!(answer.fields(), ["seats"]);
    }
}

#[tokio::test]
async fn bookings_are_listed_in_the_order_they_were_made_the_cancelled_ones_too() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let mut made = Vec::new();
    for n in 1..=7 {
        made.push(book(&system, &event, n).await.expect(201).id());
    }
    system.bookings.delete(&format!("/bookings/{}", made[2])).await.expect(200);
    for limit in [1, 3, 7, 100] {
        let found = all_pages(&system.bookings, &format!("{}?limit={limit}", bookings_of(&event))).await;
        assert_eq!(ids(&found), made, "in pages of {limit}");
        assert_eq!(found[2]["status"], "cancelled");
    }
}

#[tokio::test]
async fn a_list_holds_only_the_bookings_of_its_event() {
    let system = System::start();
    let (one, other) = (seats(&system, 5).await, seats(&system, 5).await);
    book(&system, &other, 1).await.expect(201);
    let page: Value = system.bookings.get(&bookings_of(&one)).await.expect(200).json();
    assert_eq!(page, json!({"items": []}));
}

#[tokio::test]
async fn an_unknown_booking_is_a_404_to_look_at_and_to_cancel() {
    let system = System::start();
    let path = format!("/bookings/{}", samples::NOBODY);
    system.bookings.get(&path).await.problem(404, "not-found");
    system.bookings.delete(&path).await.problem(404, "not-found");
}
