//! Steps that many tests begin with.

use e2e::{Answer, SOON, System, answer::text, eventually, samples};
use serde_json::{Value, json};

/// Creates an event and waits until it can be booked. Gives its id.
pub(crate) async fn on_sale(system: &System, body: &Value) -> String {
    let id = system.events.post("/events", body).await.expect(201).id();
    known_to_bookings(system, &id).await;
    id
}

/// An event with `capacity` seats that can be booked.
pub(crate) async fn seats(system: &System, capacity: u64) -> String {
    on_sale(system, &samples::event(&samples::unique("Concert"), capacity)).await
}

/// Waits until the booking service knows of an event.
pub(crate) async fn known_to_bookings(system: &System, id: &str) {
    let path = format!("/events/{id}");
    eventually(SOON, "the booking service learns of the event", || async {
        (system.bookings.get(&path).await.status == 200).then_some(())
    })
    .await;
}

/// Where an event's bookings are.
pub(crate) fn bookings_of(event: &str) -> String {
    format!("/events/{event}/bookings")
}

/// Books without a key.
pub(crate) async fn book(system: &System, event: &str, seats: u64) -> Answer {
    system.bookings.post(&bookings_of(event), &json!({"seats": seats})).await
}

/// What the booking service sells of an event.
pub(crate) async fn stock(system: &System, event: &str) -> Value {
    system.bookings.get(&format!("/events/{event}")).await.expect(200).json()
}

/// Waits until the event service's view of an event shows so many booked seats.
pub(crate) async fn view_shows(system: &System, event: &str, booked: u64) -> Value {
    let path = format!("/events/{event}");
    eventually(SOON, &format!("the view shows {booked} booked seats"), || async {
        let view = system.events.get(&path).await.expect(200).json();
        (view["booked_seats"] == booked).then_some(view)
    })
    .await
}

/// Reads a whole list, page by page.
pub(crate) async fn all_pages(api: &e2e::Api, path: &str) -> Vec<Value> {
    let (mut items, mut address) = (Vec::new(), path.to_owned());
    loop {
        let page = api.get(&address).await.expect(200).json();
        items.extend(page["items"].as_array().unwrap().clone());
        if page.get("next").is_none() {
            return items;
        }
        let joint = if path.contains('?') { '&' } else { '?' };
        address = format!("{path}{joint}after={}", text(&page, "next"));
    }
}

/// The ids of a list's items.
pub(crate) fn ids(items: &[Value]) -> Vec<String> {
    items.iter().map(|item| text(item, "id")).collect()
}
