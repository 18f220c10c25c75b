//! A data folder that is moved away under the running system: nothing more is promised, and all is well when it is back.

use std::{fs, time::Duration};

use e2e::{
    Api, SOON, eventually, samples,
    server::{Plan, Server},
};
use serde_json::json;

#[tokio::test]
async fn a_data_folder_that_is_moved_away_costs_no_booking_that_was_answered() {
    let folder = tempfile::tempdir().unwrap();
    let mut server = Server::start(folder.path(), &Plan::default()).expect("it starts");
    let (bookings, ops) = (server.bookings(), Api::new(&server.addresses.bookings_ops));
    let event =
        server.events().post("/events", &samples::unlimited("on a folder that is moved")).await.expect(201).id();
    let path = format!("/events/{event}/bookings");
    let book = async || bookings.post(&path, &json!({"seats": 1})).await;
    let first =
        eventually(SOON, "the first booking", async || Some(book().await).filter(|answer| answer.status == 201));
    let mut answered = vec![first.await.id()];
    ops.get("/readyz").await.expect(200);
    // Else the event service stores it meanwhile, and complains, too.
    eventually(SOON, "the event service knows of it", async || {
        let event = server.events().get(&format!("/events/{event}")).await.expect(200).json();
        (event["booked_seats"] == 1).then_some(())
    })
    .await;

    let (data, away) = (folder.path().join("data"), folder.path().join("away"));
    fs::rename(&data, &away).unwrap();

    for _ in 0..5 {
        let refused = book().await;
        refused.problem(503, "unavailable");
        assert_eq!(refused.header("retry-after"), Some("1"), "{refused:?}");
    }
    let unready = ops.get("/readyz").await.expect(503).json();
    assert!(unready["checks"]["store"]["detail"].as_str().unwrap().contains("bookingservice.db"), "{unready}");
    assert!(!ops.get("/metrics").await.expect(200).text().contains("myevents_data_free_bytes"));
    let log = server.log();
    let errors: Vec<_> = log.lines().filter(|line| line.contains("ERROR")).collect();
    assert!(errors.len() == 1 && errors[0].contains("bookingservice.db was deleted, moved or replaced"), "{log}");

    fs::rename(&away, &data).unwrap();
    let again = eventually(Duration::from_secs(20), "it books again", async || {
        Some(book().await).filter(|answer| answer.status == 201)
    });
    answered.push(again.await.id());
    ops.get("/readyz").await.expect(200);

    server.kill();
    let server = Server::start(folder.path(), &Plan::default()).expect("it starts again");
    for id in &answered {
        server.bookings().get(&format!("/bookings/{id}")).await.expect(200);
    }
}
