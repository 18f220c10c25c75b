//! The event service's view of the seats: it learns of them by messages, a moment later.

use e2e::{System, samples};

use crate::steps::{book, on_sale, seats, view_shows};

#[tokio::test]
async fn a_booking_and_its_cancellation_arrive_at_the_event_service() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let id = book(&system, &event, 3).await.expect(201).id();
    assert_eq!(view_shows(&system, &event, 3).await["seats_left"], 7);
    book(&system, &event, 2).await.expect(201);
    assert_eq!(view_shows(&system, &event, 5).await["seats_left"], 5);
    system.bookings.delete(&format!("/bookings/{id}")).await.expect(200);
    assert_eq!(view_shows(&system, &event, 2).await["seats_left"], 8);
}

#[tokio::test]
async fn an_event_without_a_capacity_shows_only_what_is_booked() {
    let system = System::start();
    let event = on_sale(&system, &samples::unlimited(&samples::unique("Street"))).await;
    book(&system, &event, 100).await.expect(201);
    let view = view_shows(&system, &event, 100).await;
    assert!(view.get("seats_left").is_none(), "{view}");
}

#[tokio::test]
async fn the_list_of_events_shows_the_seats_too() {
    let system = System::start();
    let name = samples::unique("Listed").replace(' ', "-");
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    book(&system, &event, 4).await.expect(201);
    view_shows(&system, &event, 4).await;
    let page = system.events.get(&format!("/events?name={name}")).await.expect(200).json();
    let item = &page["items"][0];
    assert_eq!((&item["booked_seats"], &item["seats_left"]), (&4.into(), &6.into()), "{page}");
}
