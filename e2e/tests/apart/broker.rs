//! The broker goes and comes back under running services: bookings go on, and the event service learns of all of them.

use std::time::{Duration, Instant};

use e2e::{eventually, samples};
use serde_json::json;

use crate::{
    tools::{dead, dead_fails, verify},
    world::World,
};

/// After the broker's return.
const BACK: Duration = Duration::from_secs(10);

/// Until its loss is noticed.
const NOTICED: Duration = Duration::from_secs(20);

#[tokio::test]
async fn bookings_go_on_without_a_broker_and_arrive_when_it_is_back() {
    let Some(world) = World::start(1).await else { return };
    let (events, bookings, broker) = (&world.events[0], &world.bookings[0], &world.servers.broker);
    let event = world.event("without a broker", 1000).await;
    let mut booked = 0;
    for how in ["killed", "stopped"] {
        broker.remembers_its_queues();
        if how == "killed" {
            broker.kill()
        } else {
            broker.stop()
        }
        for _ in 0..50 {
            bookings.rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 1})).await.expect(201);
            booked += 1;
        }
        for replica in [events, bookings] {
            let report = eventually(NOTICED, "it says that the broker is away", async || {
                let report = replica.ops.get("/readyz").await.expect(200).json();
                (report["checks"]["broker"]["ok"] == false).then_some(report)
            })
            .await;
            assert_eq!((&report["ready"], &report["checks"]["broker"]["required"]), (&json!(true), &json!(false)));
            assert_eq!(replica.ops.metrics().await.sum("myevents_amqp_connected", &[]), 0.0);
        }
        bookings.rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 1})).await.expect(201);
        booked += 1;
        let shown = events.rest.get(&format!("/events/{event}")).await.expect(200).json();
        assert!(shown["booked_seats"].as_u64().unwrap() < booked, "{how}: it knows of bookings without a broker");

        broker.start();
        broker.runs().await;
        eventually(BACK, "the event service learns of all bookings", async || {
            let shown = events.rest.get(&format!("/events/{event}")).await.expect(200).json();
            (shown["booked_seats"] == booked).then_some(())
        })
        .await;
        for replica in [events, bookings] {
            assert_eq!(replica.logged("no connection to the broker").len(), if how == "killed" { 1 } else { 2 });
        }
    }
    verify(&world, &[]);
}

#[tokio::test]
async fn who_asks_for_dead_letters_under_an_alarm_gets_an_error_about_it_at_once() {
    let Some(world) = World::start(1).await else { return };
    let (events, broker) = (&world.events[0], &world.servers.broker);
    broker.memory_alarm(true);
    let waits = events.rest.post("/events", &samples::event("alarm", 10)).await.expect(201).id();
    eventually(NOTICED, "the service knows of the alarm", async || {
        (events.ops.metrics().await.sum("myevents_amqp_blocked", &[]) == 1.0).then_some(())
    })
    .await;

    let began = Instant::now();
    let answer = events.ops.get("/dead").await.expect(503).text();
    assert!(answer.contains("has an alarm") && answer.contains("low on memory"), "{answer}");
    for what in [&["list"][..], &["redrive", "--all"]] {
        let report = dead_fails(&world, what);
        assert!(report.contains("503") && report.contains("low on memory"), "{report}");
    }
    assert!(began.elapsed() < Duration::from_secs(4), "somebody waits: {:?}", began.elapsed());

    broker.memory_alarm(false);
    world.on_sale(&waits).await;
    assert!(dead(&world, &["list"]).contains("no dead letters"));
    verify(&world, &[]);
}
