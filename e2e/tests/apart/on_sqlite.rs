//! Services that run apart with a file of their own each, over the broker: in order when they are stopped, and what one
//! folder holds can be checked.

use std::path::Path;

use e2e::{SOON, eventually, samples};
use serde_json::json;

use crate::{
    replica::{Plan, Replica},
    tools::{run, said},
    world::{Servers, env},
};

fn verify(folder: &Path, more: &[&str]) -> std::process::Output {
    run(["verify", "--data-dir", folder.to_str().unwrap()].iter().chain(more))
}

#[tokio::test]
async fn a_service_with_a_file_of_its_own_stops_in_order_and_can_be_checked_alone() {
    let Some(servers) = Servers::take().await else { return };
    let folder = tempfile::tempdir().unwrap();
    let start = |service: &'static str| {
        let plan = Plan { service, env: env(&servers.amqp, None), ..Plan::default() };
        Replica::start(&folder.path().join(service), plan)
    };
    let (mut events, mut bookings) = (start("eventservice"), start("bookingservice"));
    let event = events.rest.post("/events", &samples::event("apart", 10)).await.expect(201).id();
    let path = format!("/events/{event}");
    eventually(SOON, "it is on sale", async || (bookings.rest.get(&path).await.status == 200).then_some(())).await;
    let booking = bookings.rest.post(&format!("{path}/bookings"), &json!({"seats": 4})).await.expect(201);
    eventually(SOON, "the event service learns of it", async || {
        (events.rest.get(&path).await.expect(200).json()["booked_seats"] == 4).then_some(())
    })
    .await;

    for replica in [&events, &bookings] {
        let services = replica.ops.metrics().await.sum("myevents_services_in_process", &[]);
        assert!((services - 1.0).abs() < 0.1, "{services}");
    }
    for replica in [&mut events, &mut bookings] {
        assert_eq!(replica.stop().code(), Some(0));
        assert_eq!(replica.logged("not closed").len(), 0, "{}", replica.log());
        let log = replica.data().join(format!("{}.db-wal", replica.plan.service));
        assert!(!log.exists(), "the file was not closed");
    }

    let report = said(&verify(&bookings.data(), &[]));
    assert!(report.contains("1 events, 1 bookings (0 of them cancelled), 4 seats"), "{report}");
    assert!(report.contains("not seen  eventservice.db"), "{report}");
    let report = said(&verify(&events.data(), &[]));
    assert!(report.contains("1 events, 0 bookings"), "{report}");
    assert!(report.contains("not seen  bookingservice.db"), "{report}");

    // A record can be held against the bookings, and against nothing else.
    let (record, id) = (folder.path().join("record"), booking.id());
    let line = json!({"line": "cancelled", "at": "now", "booking": id, "event": event, "seats": 4});
    std::fs::write(&record, line.to_string()).unwrap();
    let against = ["--against", record.to_str().unwrap(), "--exclusive"];
    assert_eq!(verify(&bookings.data(), &against).status.code(), Some(1), "it was never cancelled");
    assert_eq!(verify(&events.data(), &against).status.code(), Some(2));

    // A file that was there and is missing was lost.
    std::fs::copy(events.data().join("eventservice.db"), bookings.data().join("eventservice.db")).unwrap();
    said(&verify(&bookings.data(), &[]));
    std::fs::remove_file(bookings.data().join("bookingservice.db")).unwrap();
    assert_eq!(verify(&bookings.data(), &[]).status.code(), Some(2));
}
