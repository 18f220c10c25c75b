//! A small file system that fills up while bookings come in: clear answers, nothing acknowledged is lost, and all works
//! again when there is space.

use std::time::Duration;

use e2e::{
    SOON, eventually, samples,
    server::{Plan, Server},
    small_disk::SmallDisk,
};
use serde_json::json;

#[tokio::test]
async fn a_disk_that_fills_up_loses_nothing_that_was_answered() {
    let Some(disk) = SmallDisk::mount("3m") else { return };
    let mut server = Server::start(disk.path(), &Plan::default()).expect("it starts");
    let event = server.events().post("/events", &samples::unlimited("on a small disk")).await.expect(201).id();
    let (bookings, on_sale) = (server.bookings(), format!("/events/{event}"));
    eventually(SOON, "the booking service knows the event", async || {
        (bookings.get(&on_sale).await.status == 200).then_some(())
    })
    .await;

    // What else lies on the disk leaves little room; the log of writes takes the rest.
    let ballast = disk.path().join("ballast");
    std::fs::write(&ballast, vec![1; 1_700_000]).unwrap();
    let path = format!("{on_sale}/bookings");
    let mut answered = Vec::new();
    let refused = loop {
        let answer = bookings.post(&path, &json!({"seats": 1, "user_id": "x".repeat(100)})).await;
        if answer.status != 201 {
            break answer;
        }
        answered.push(answer.id());
        assert!(answered.len() < 20_000, "the disk does not fill up");
    };
    let problem = refused.problem(503, "unavailable");
    assert!(problem["booking_id"].is_string(), "{refused:?}");
    assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");
    for _ in 0..20 {
        bookings.post(&path, &json!({"seats": 1})).await;
    }
    let logged = server.log().matches("something cannot be stored").count();
    assert!((1..=4).contains(&logged), "a line for each change of a file's state, and not for each request: {logged}");

    std::fs::remove_file(&ballast).unwrap();
    let booked = eventually(Duration::from_secs(20), "it books again", async || {
        let answer = bookings.post(&path, &json!({"seats": 1})).await;
        (answer.status == 201).then(|| answer.id())
    })
    .await;
    answered.push(booked);

    server.kill();
    let server = Server::start(disk.path(), &Plan::default()).expect("it starts again");
    let bookings = server.bookings();
    for id in &answered {
        bookings.get(&format!("/bookings/{id}")).await.expect(200);
    }
    let sold = bookings.get(&on_sale).await.expect(200).json()["booked_seats"].clone();
    eventually(SOON, "the view has caught up", async || {
        let shown = server.events().get(&on_sale).await.expect(200).json();
        (shown["booked_seats"] == sold).then_some(())
    })
    .await;
}
