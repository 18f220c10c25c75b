//! A queue is deleted with everything that waits in it. The broker had confirmed those messages, so they are in no outbox
//! any more; the state is published again by itself (resync).

use std::time::{Duration, Instant};

use e2e::{eventually, samples};
use lapin::Channel;
use serde_json::json;

use crate::{queue::waiting, tools, world::World};

/// After the queue is there again.
const BACK: Duration = Duration::from_secs(10);

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// So many events, and so many pages of them when the state is published again (resync).
const EVENTS: u32 = 600;

/// How long the load runs before and between the losses.
const MOMENT: Duration = Duration::from_secs(1);

#[tokio::test]
async fn what_waited_in_a_deleted_queue_is_published_again() {
    let Some(mut world) = World::start(1).await else { return };
    let channel = world.servers.connect().await;

    // Created while the booking service is stopped, and lost on the way to it.
    world.bookings[0].stop();
    let mut events = Vec::new();
    for number in 0..EVENTS {
        let event = samples::event(&format!("lost {number}"), 10);
        events.push(world.events[0].rest.post("/events", &event).await.expect(201).id());
    }
    lose(&channel, "bookingservice").await;
    world.bookings[0].start_again();
    let began = Instant::now();
    for event in &events {
        world.on_sale(event).await;
    }
    println!("{EVENTS} events were published again within {:?}", began.elapsed());

    // Booked while the event service is stopped, likewise.
    world.events[0].stop();
    for event in &events {
        let path = format!("/events/{event}/bookings");
        world.bookings[0].rest.post(&path, &json!({"seats": 2})).await.expect(201);
    }
    let cancelled = world.bookings[0].rest.post(&format!("/events/{}/bookings", events[0]), &json!({"seats": 1})).await;
    world.bookings[0].rest.delete(&format!("/bookings/{}", cancelled.expect(201).id())).await.expect(200);
    lose(&channel, "eventservice").await;
    world.events[0].start_again();
    for event in &events {
        eventually(BACK, "the view follows", async || {
            let shown = world.events[0].rest.get(&format!("/events/{event}")).await.expect(200).json();
            (shown["booked_seats"] == 2).then_some(())
        })
        .await;
    }
    tools::verify(&world, &[]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_and_exchange_that_are_deleted_under_load_cost_nothing() {
    let Some(world) = World::start(2).await else { return };
    let channel = world.servers.connect().await;
    let folder = tempfile::tempdir().unwrap();
    let mut load = tools::load(&world, folder.path(), &[]);
    for lost in [&["bookingservice"][..], &["eventservice"], &["eventservice", "bookingservice", "events"]] {
        let before = load.recorded("booked");
        tokio::time::sleep(MOMENT).await;
        for name in lost {
            match *name {
                "events" => channel.exchange_delete((*name).into(), Default::default()).await.unwrap(),
                queue => drop(channel.queue_delete(queue.into(), Default::default()).await.unwrap()),
            }
        }
        eventually(STEP_TIMEOUT, "bookings go on", async || (load.recorded("booked") > before + 100).then_some(()))
            .await;
    }
    tokio::time::sleep(MOMENT).await;
    load.stop();
    let began = Instant::now();
    tools::verify(&world, &["--against", load.record()]);
    println!("clean after {:?}", began.elapsed());
}

/// Deletes a queue once everything waits in it.
async fn lose(channel: &Channel, queue: &str) {
    eventually(STEP_TIMEOUT, "all of it waits in the queue", async || {
        (waiting(channel, queue).await >= EVENTS).then_some(())
    })
    .await;
    channel.queue_delete(queue.into(), Default::default()).await.unwrap();
}
