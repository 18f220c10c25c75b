//! Cancelling: the seats come back, once.

use e2e::{System, answer::text};

use crate::steps::{book, seats, stock, view_shows};

#[tokio::test]
async fn cancelling_answers_200_with_the_same_booking_each_time() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let made = book(&system, &event, 4).await.expect(201).json();
    let path = format!("/bookings/{}", text(&made, "id"));
    let first = system.bookings.delete(&path).await.expect(200);
    let cancelled = first.json();
    assert_eq!(cancelled["status"], "cancelled");
    let at = text(&cancelled, "cancelled_at");
    assert!(at.len() == 24 && at >= text(&made, "booked_at"), "{cancelled}");
    for _ in 0..3 {
        assert_eq!(system.bookings.delete(&path).await.expect(200).body, first.body);
    }
    assert_eq!(system.bookings.get(&path).await.expect(200).body, first.body);
    let mut same = cancelled.clone();
    same.as_object_mut().unwrap().remove("cancelled_at");
    same["status"] = made["status"].clone();
    assert_eq!(same, made, "nothing else changed");
}

#[tokio::test]
async fn the_seats_of_a_cancelled_booking_can_be_booked_again() {
    let system = System::start();
    let event = seats(&system, 4).await;
    let id = book(&system, &event, 4).await.expect(201).id();
    book(&system, &event, 1).await.expect(409);
    system.bookings.delete(&format!("/bookings/{id}")).await.expect(200);
    let stocked = stock(&system, &event).await;
    assert_eq!(
        (&stocked["seats_left"], &stocked["booked_seats"], &stocked["version"]),
        (&4.into(), &0.into(), &2.into())
    );
    book(&system, &event, 4).await.expect(201);
    view_shows(&system, &event, 4).await;
}
