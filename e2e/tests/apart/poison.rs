//! Messages that nobody can handle: set aside, seen wherever one looks, and back in their queue when they are redriven. All
//! others go on.

use std::time::Duration;

use e2e::{eventually, samples, wait::SOON};
use lapin::{
    BasicProperties, Channel,
    options::{BasicGetOptions, BasicNackOptions, QueueDeclareOptions},
};
use serde_json::{Value, json};

use crate::{
    replica::Replica,
    tools::{dead, verify},
    world::{World, connected},
};

/// A service starts and connects.
const PATIENCE: Duration = Duration::from_secs(20);

async fn publish(channel: &Channel, exchange: &str, key: &str, body: &[u8]) {
    let (options, properties) = (Default::default(), BasicProperties::default().with_delivery_mode(2));
    channel.basic_publish(exchange.into(), key.into(), options, body, properties).await.unwrap();
}

async fn messages_in(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, Default::default()).await.unwrap().message_count()
}

fn list(world: &World) -> Vec<Value> {
    serde_json::from_str(&dead(world, &["list", "--json"])).unwrap()
}

/// Waits until the gauge shows so many.
async fn dead_letters(replica: &Replica, count: f64) {
    let labels = [("queue", replica.plan.service)];
    eventually(PATIENCE, "the gauge shows the dead letters", async || {
        (replica.ops.metrics().await.sum("myevents_dead_letters", &labels) == count).then_some(())
    })
    .await;
}

async fn consumed(replica: &Replica, result: &str) -> f64 {
    replica.ops.metrics().await.sum("myevents_messages_consumed_total", &[("result", result)])
}

/// Takes the one message of a queue as often as the broker allows, as a reader would that dies of it each time.
async fn kill_readers(channel: &Channel, queue: &str) {
    let graveyard = format!("{queue}.dead");
    let before = messages_in(channel, &graveyard).await;
    eventually(PATIENCE, "the broker gives up on it", async || {
        if let Some(got) = channel.basic_get(queue.into(), BasicGetOptions { no_ack: false }).await.unwrap() {
            let again = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            channel.basic_nack(got.delivery.delivery_tag, again).await.unwrap();
        }
        (messages_in(channel, &graveyard).await > before).then_some(())
    })
    .await;
}

#[tokio::test]
async fn poison_is_set_aside_shown_and_redriven_and_all_others_go_on() {
    let Some(mut world) = World::start(1).await else { return };
    let channel = world.servers.connect().await;
    let event = world.event("between poison", 100).await;

    let unknown = json!({"event_id": samples::NOBODY, "booked_seats": 1, "version": 1}).to_string();
    publish(&channel, "events", "eventCreated", b"{ this is not JSON").await;
    publish(&channel, "events", "eventCreated", br#"{"id": 7, "name": "no id"}"#).await;
    publish(&channel, "", "bookingservice", br#"{"type": "nobody's"}"#).await;
    publish(&channel, "events", "seatsChanged", unknown.as_bytes()).await;

    world.event("after poison", 100).await;
    world.bookings[0].rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 3})).await.expect(201);
    eventually(SOON, "the event service hears of it", async || {
        let shown = world.events[0].rest.get(&format!("/events/{event}")).await.expect(200).json();
        (shown["booked_seats"] == 3).then_some(())
    })
    .await;
    dead_letters(&world.bookings[0], 3.0).await;
    dead_letters(&world.events[0], 1.0).await;
    let letters = list(&world);
    let shown = |queue: &str, cause: &str| {
        let fits = |letter: &&Value| letter["queue"] == queue && letter["cause"].as_str().unwrap().contains(cause);
        assert_eq!(letters.iter().filter(fits).count(), 1, "{queue}, {cause}: {letters:#?}");
    };
    shown("bookingservice", "key must be a string");
    shown("bookingservice", "invalid type");
    shown("bookingservice", "does not read messages of type");
    shown("eventservice", samples::NOBODY);
    assert!(letters.iter().all(|letter| letter["publisher"].is_null()), "nobody knows who sent them: {letters:#?}");
    let table = dead(&world, &["list"]);
    for letter in &letters {
        assert!(table.contains(letter["id"].as_str().unwrap()), "{table}");
    }

    // One that kills its readers until the broker gives up on it; then they are mended.
    world.bookings[0].stop();
    let killer = world.events[0].rest.post("/events", &samples::event("killer", 10)).await.expect(201).id();
    eventually(SOON, "its message waits", async || (messages_in(&channel, "bookingservice").await == 1).then_some(()))
        .await;
    kill_readers(&channel, "bookingservice").await;
    world.bookings[0].start_again();
    eventually(PATIENCE, "it reads again", async || connected(&world.bookings[0]).await.then_some(())).await;
    dead_letters(&world.bookings[0], 4.0).await;
    let on_sale = format!("/events/{killer}");
    assert_eq!(world.bookings[0].rest.get(&on_sale).await.status, 404);
    let letters = list(&world);
    let letter = letters.iter().find(|letter| letter["body"].as_str().unwrap().contains(&killer)).unwrap();
    assert!(letter["cause"].as_str().unwrap().contains("delivered 20 times"), "{letter}");

    let said = dead(&world, &["redrive", "--id", letter["id"].as_str().unwrap()]);
    assert!(said.contains("1 message goes to the queue again"), "{said}");
    world.on_sale(&killer).await;
    dead_letters(&world.bookings[0], 3.0).await;
    assert_eq!(consumed(&world.bookings[0], "acked").await, 1.0, "once");

    // Those that are not mended come back, once each, and to nobody else.
    let said = dead(&world, &["redrive", "--all"]);
    assert!(said.contains("4 messages go to the queue again"), "{said}");
    eventually(SOON, "all of them are tried again", async || {
        let tried = (consumed(&world.bookings[0], "rejected").await, consumed(&world.events[0], "rejected").await);
        (tried == (3.0, 2.0)).then_some(())
    })
    .await;
    dead_letters(&world.bookings[0], 3.0).await;
    dead_letters(&world.events[0], 1.0).await;

    for queue in ["bookingservice.dead", "eventservice.dead"] {
        channel.queue_purge(queue.into(), Default::default()).await.unwrap();
    }
    verify(&world, &[]);
}
