//! What a booking counts: once, when it is durable; and what everything else does not count.

use e2e::{Exposition, SOON, System, eventually, samples};
use serde_json::json;

use crate::steps::{book, bookings_of, on_sale, seats, view_shows};

/// The growth of several counters, as whole numbers.
fn growth<const N: usize>(now: &Exposition, before: &Exposition, names: [&str; N]) -> [i64; N] {
    names.map(|name| now.grew(before, name, &[]).round() as i64)
}

const OF_BOOKINGS: [&str; 8] = [
    "myevents_bookings_count",
    "myevents_booked_seats_total",
    "myevents_bookings_accepted_total",
    "myevents_seats_per_booking_count",
    "myevents_seats_per_booking_sum",
    "myevents_booking_replays_total",
    "myevents_bookings_cancelled_total",
    "myevents_cancelled_seats_total",
];

#[tokio::test]
async fn a_booking_counts_its_seats_once_and_replays_and_failures_count_nothing() {
    let system = System::start();
    let name = samples::unique("Counted");
    let event = on_sale(&system, &samples::event(&name, 10)).await;
    let before = system.bookings_ops.metrics().await;
    let labels = [("eventID", event.as_str()), ("eventName", name.as_str())];
    assert_eq!(before.samples("myevents_bookings_count", &labels).count(), 1, "there at zero before the first booking");

    let key = samples::unique("key").replace(' ', "-");
    for _ in 0..3 {
        system.bookings.post_once(&bookings_of(&event), &key, &json!({"seats": 3})).await;
    }
    book(&system, &event, 2).await.expect(201);
    book(&system, &event, 6).await.expect(409);
    book(&system, &event, 0).await.expect(422);
    book(&system, samples::NOBODY, 1).await.expect(404);
    system.bookings.post_once(&bookings_of(&event), &key, &json!({"seats": 1})).await.expect(422);

    let now = system.bookings_ops.metrics().await;
    assert_eq!(growth(&now, &before, OF_BOOKINGS), [5, 5, 2, 2, 5, 2, 0, 0]);
    assert!((now.sum("myevents_bookings_count", &labels) - 5.0).abs() < 0.1);
    for (reason, right) in
        [("sold_out", 1.0), ("invalid", 1.0), ("not_found", 1.0), ("conflict", 1.0), ("unavailable", 0.0)]
    {
        let grown = now.grew(&before, "myevents_booking_rejections_total", &[("reason", reason)]);
        assert!((grown - right).abs() < 0.1, "{reason} grew by {grown}");
    }
}

#[tokio::test]
async fn a_cancellation_counts_its_seats_once_and_lowers_no_counter() {
    let system = System::start();
    let event = seats(&system, 10).await;
    let id = book(&system, &event, 4).await.expect(201).id();
    let before = system.bookings_ops.metrics().await;
    for _ in 0..3 {
        system.bookings.delete(&format!("/bookings/{id}")).await.expect(200);
    }
    let now = system.bookings_ops.metrics().await;
    assert_eq!(growth(&now, &before, OF_BOOKINGS), [0, 0, 0, 0, 0, 0, 1, 4]);
    assert_eq!(growth(&now, &before, ["myevents_seats_confirmed", "myevents_seat_changes"]), [-4, 1]);
}

#[tokio::test]
async fn the_seats_of_a_booking_fall_into_buckets_of_1_2_3_and_4() {
    let system = System::start();
    let event = seats(&system, 100).await;
    let before = system.bookings_ops.metrics().await;
    for seats in [1, 1, 2, 4, 9] {
        book(&system, &event, seats).await.expect(201);
    }
    let now = system.bookings_ops.metrics().await;
    for (le, right) in [("1", 2.0), ("2", 3.0), ("3", 3.0), ("4", 4.0), ("+Inf", 5.0)] {
        let grown = now.grew(&before, "myevents_seats_per_booking_bucket", &[("le", le)]);
        assert!((grown - right).abs() < 0.1, "le={le}: {grown}");
    }
}

#[tokio::test]
async fn events_locations_and_their_messages_are_counted() {
    let system = System::start();
    let (events, bookings) = (system.events_ops.metrics().await, system.bookings_ops.metrics().await);
    let event = seats(&system, 10).await;
    system.events.post("/locations", &samples::location(&samples::unique("Counted"))).await.expect(201);
    let id = book(&system, &event, 2).await.expect(201).id();
    system.bookings.delete(&format!("/bookings/{id}")).await.expect(200);
    let counted = eventually(SOON, "all messages are published and consumed", || async {
        let (now, sold) = (system.events_ops.metrics().await, system.bookings_ops.metrics().await);
        let confirmed = |now: &Exposition, before, message| {
            let labels = [("message", message), ("result", "confirmed")];
            now.grew(before, "myevents_messages_published_total", &labels).round() as i64
        };
        let published = [
            confirmed(&now, &events, "eventCreated"),
            confirmed(&now, &events, "locationCreated"),
            confirmed(&sold, &bookings, "eventBooked"),
            confirmed(&sold, &bookings, "bookingCancelled"),
            confirmed(&sold, &bookings, "seatsChanged"),
        ];
        let acked = now.grew(&events, "myevents_messages_consumed_total", &[("queue", "eventservice")]);
        let aged = now.grew(&events, "myevents_message_age_seconds_count", &[]); // counted a moment later
        (published == [1; 5] && acked > 1.5 && aged > 1.5).then_some(now)
    });
    let now = counted.await;
    assert_eq!(growth(&now, &events, ["myevents_events_created_total", "myevents_locations_created_total"]), [1, 1]);
}

#[tokio::test]
async fn the_ledger_of_both_services_agrees_once_all_has_arrived() {
    let Some(system) = System::start_own("the ledger") else { return };
    let event = seats(&system, 100).await;
    for seats in 1..=5 {
        let id = book(&system, &event, seats).await.expect(201).id();
        if seats % 2 == 0 {
            system.bookings.delete(&format!("/bookings/{id}")).await.expect(200);
        }
    }
    view_shows(&system, &event, 9).await;
    eventually(SOON, "both ledgers show 7 changes and nothing waits", || async {
        let (events, bookings) = (system.events_ops.metrics().await, system.bookings_ops.metrics().await);
        let seen = [
            bookings.sum("myevents_seat_changes", &[]),
            events.sum("myevents_view_seat_changes", &[]),
            bookings.sum("myevents_seats_confirmed", &[]),
            bookings.sum("myevents_outbox_pending_messages", &[]),
            events.sum("myevents_outbox_pending_messages", &[]),
        ];
        (seen.map(|value| value.round() as i64) == [7, 7, 9, 0, 0]).then_some(())
    })
    .await;
}
