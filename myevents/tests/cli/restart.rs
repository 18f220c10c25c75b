//! What is there after `kill -9`.

use crate::helpers::{MyEvents, book, create_event, get, new_folder, view_shows};

#[tokio::test]
async fn a_booking_survives_kill_9_in_both_services() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &[]).await;
    let event = create_event(&first, "Survivors", (24, 48), 10).await;

    // Killed at once after the 201: the event service has not heard of it, or has just.
    let booking = book(&first, &event, 3).await;
    first.kill();

    let second = MyEvents::start(&folder, &[]).await;
    let found = get(&format!("{}/bookings/{booking}", second.bookings())).await.unwrap();
    assert_eq!(found["status"], "confirmed");
    assert_eq!(found["seats"], 3);
    view_shows(&second, &event, 3).await;
}

#[tokio::test]
async fn an_event_that_was_created_just_before_kill_9_is_on_the_next_start_page() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    let event = create_event(&first, "Just in time", (24, 48), 10).await;
    first.kill();

    let second = MyEvents::start(&folder, &[]).await;
    assert!(second.booking_command().unwrap().contains(&event), "{}", second.page());
}
