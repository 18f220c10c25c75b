//! Messages that nobody can handle: set aside, seen wherever one looks, and back in their queue when they are redriven. All
//! others go on.

use std::time::Duration;

use e2e::{SOON, eventually, samples, strangers};
use lapin::{
    BasicProperties, Channel,
    options::{BasicGetOptions, QueueDeclareOptions},
};
use serde_json::{Value, json};

use crate::{
    queue::{kill_readers, waiting},
    replica::Replica,
    tools::{dead, dead_fails, load, verify},
    trial::lost,
    world::{World, connected},
};

/// How long a service may take to start and connect.
const START_TIMEOUT: Duration = Duration::from_secs(20);

/// As a program of somebody else does it: without our headers, and perhaps with an id.
async fn publish(channel: &Channel, exchange: &str, key: &str, body: &[u8], id: Option<&str>) {
    let mut properties = BasicProperties::default().with_delivery_mode(2);
    if let Some(id) = id {
        properties = properties.with_message_id(id.into());
    }
    channel.basic_publish(exchange.into(), key.into(), Default::default(), body, properties).await.unwrap();
}

/// The ids of the messages that a service gave up on since it was started, as it logged them.
fn given_up(replica: &Replica) -> Vec<String> {
    let lines = replica.logged("goes to the dead letters");
    lines.iter().map(|line| line["id"].as_str().unwrap().to_owned()).collect()
}

fn list(world: &World) -> Vec<Value> {
    serde_json::from_str(&dead(world, &["list", "--json"])).unwrap()
}

/// Waits until the gauge shows so many.
async fn dead_letters(replica: &Replica, count: f64) {
    let labels = [("queue", replica.plan.service)];
    eventually(START_TIMEOUT, "the gauge shows the dead letters", async || {
        (replica.ops.metrics().await.sum("myevents_dead_letters", &labels) == count).then_some(())
    })
    .await;
}

async fn consumed(replica: &Replica, result: &str) -> f64 {
    replica.ops.metrics().await.sum("myevents_messages_consumed_total", &[("result", result)])
}

#[tokio::test]
async fn poison_is_set_aside_shown_and_redriven_and_all_others_go_on() {
    let Some(mut world) = World::start(1).await else { return };
    let channel = world.servers.connect().await;
    let event = world.event("between poison", 100).await;

    let unknown = json!({"event_id": samples::NOBODY, "booked_seats": 1, "version": 1}).to_string();
    publish(&channel, "events", "eventCreated", b"{ this is not JSON", None).await;
    publish(&channel, "events", "eventCreated", br#"{"id": 7, "name": "no id"}"#, None).await;
    publish(&channel, "", "bookingservice", br#"{"type": "nobody's"}"#, None).await;
    let theirs = "0199c0de-0000-7000-8000-00000000abcd";
    publish(&channel, "events", "seatsChanged", unknown.as_bytes(), Some(theirs)).await;

    world.event("after poison", 100).await;
    world.bookings[0].rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 3})).await.expect(201);
    eventually(SOON, "the event service learns of it", async || {
        let shown = world.events[0].rest.get(&format!("/events/{event}")).await.expect(200).json();
        (shown["booked_seats"] == 3).then_some(())
    })
    .await;
    dead_letters(&world.bookings[0], 3.0).await;
    dead_letters(&world.events[0], 1.0).await;
    let letters = list(&world);
    let shown = |replica: &Replica, name: &str, cause: &str| {
        let fits = |letter: &&Value| letter["cause"].as_str().unwrap().contains(cause);
        let fitting: Vec<&Value> = letters.iter().filter(fits).collect();
        assert_eq!(fitting.len(), 1, "{cause}: {letters:#?}");
        assert_eq!((&fitting[0]["queue"], &fitting[0]["message"]), (&json!(replica.plan.service), &json!(name)));
        let id = fitting[0]["id"].as_str().unwrap();
        assert_eq!(given_up(replica).iter().filter(|given_up| *given_up == id).count(), 1, "it is the one it read");
        id.to_owned()
    };
    shown(&world.bookings[0], "eventCreated", "key must be a string");
    shown(&world.bookings[0], "eventCreated", "invalid type");
    shown(&world.bookings[0], "bookingservice", "does not read messages of type");
    assert_eq!(shown(&world.events[0], "seatsChanged", samples::NOBODY), theirs);
    assert!(letters.iter().all(|letter| letter["publisher"].is_null()), "nobody knows who sent them: {letters:#?}");
    let table = dead(&world, &["list"]);
    for letter in &letters {
        assert!(table.contains(letter["id"].as_str().unwrap()), "{table}");
    }

    // One message kills its readers until the broker makes a dead letter of it. Then the readers are mended.
    world.bookings[0].stop();
    let spy = QueueDeclareOptions { exclusive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("spy".into(), spy, Default::default()).await.unwrap();
    let bind = channel.queue_bind(
        "spy".into(),
        "events".into(),
        "eventCreated".into(),
        Default::default(),
        Default::default(),
    );
    bind.await.unwrap();
    let killer = world.events[0].rest.post("/events", &samples::event("killer", 10)).await.expect(201).id();
    eventually(SOON, "its message waits", async || (waiting(&channel, "bookingservice").await == 1).then_some(()))
        .await;
    let spied = channel.basic_get("spy".into(), BasicGetOptions { no_ack: true }).await.unwrap().unwrap().delivery;
    let spied = spied.properties.message_id().as_ref().unwrap().to_string();
    kill_readers(&channel, "bookingservice").await;
    world.bookings[0].start_again();
    eventually(START_TIMEOUT, "it reads again", async || connected(&world.bookings[0]).await.then_some(())).await;
    dead_letters(&world.bookings[0], 4.0).await;
    let on_sale = format!("/events/{killer}");
    assert_eq!(world.bookings[0].rest.get(&on_sale).await.status, 404);
    let all = list(&world);
    let letter = all.iter().find(|letter| letter["body"].as_str().unwrap().contains(&killer)).unwrap();
    assert!(letter["cause"].as_str().unwrap().contains("delivered 20 times"), "{letter}");
    assert_eq!((&letter["id"], &letter["message"]), (&json!(spied), &json!("eventCreated")));

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
    assert_eq!(list(&world), letters, "the same ones: no name, id or time was lost on the way");
    for letter in &letters {
        let id = letter["id"].as_str().unwrap();
        let tries = |replica: &Replica| given_up(replica).iter().filter(|given_up| *given_up == id).count();
        // The booking service was started anew between the two.
        let once_more = if letter["queue"] == "eventservice" { (2, 0) } else { (0, 1) };
        assert_eq!((tries(&world.events[0]), tries(&world.bookings[0])), once_more, "{letter}");
    }

    // A service that does not answer must not keep the messages of the other one from their queue.
    world.events[0].stop();
    let printed = dead_fails(&world, &["redrive", "--all"]);
    assert!(printed.contains("3 messages go to the queue again; ") && printed.contains("does not answer"), "{printed}");
    eventually(SOON, "they are tried again", async || {
        (consumed(&world.bookings[0], "rejected").await == 6.0).then_some(())
    })
    .await;
    world.events[0].start_again();
    world.ready().await;
    dead_letters(&world.bookings[0], 3.0).await;

    for queue in ["bookingservice.dead", "eventservice.dead"] {
        channel.queue_purge(queue.into(), Default::default()).await.unwrap();
    }
    verify(&world, &[]);
}

#[tokio::test]
async fn a_message_whose_handler_always_panics_is_set_aside_and_handled_when_that_is_mended() {
    let Some(mut world) = World::start(1).await else { return };
    let event = format!("/events/{}", world.event("panics", 10).await);
    let shown = async |world: &World| world.events[0].rest.get(&event).await.expect(200).json()["booked_seats"].clone();
    world.events[0].stop();
    world.events[0].plan.env.push(("FAIL_POINT", "listener.seats.received:panic".into()));
    world.events[0].start_again();

    world.bookings[0].rest.post(&format!("{event}/bookings"), &json!({"seats": 3})).await.expect(201);
    dead_letters(&world.events[0], 1.0).await;
    let letter = list(&world).remove(0);
    assert_eq!((&letter["queue"], &letter["message"]), (&json!("eventservice"), &json!("eventBooked")), "{letter}");
    assert_eq!(
        (&letter["cause"], &letter["attempts"]),
        (&json!("the handler panicked 5 times"), &json!(5)),
        "{letter}"
    );
    assert_eq!(shown(&world).await, 0, "it serves, and does not know of it");

    world.events[0].stop();
    world.events[0].plan.env.pop();
    world.events[0].start_again();
    world.ready().await;
    let said = dead(&world, &["redrive", "--id", letter["id"].as_str().unwrap()]);
    assert!(said.contains("1 message goes to the queue again"), "{said}");
    eventually(SOON, "it learns of it", async || (shown(&world).await == 3).then_some(())).await;
    dead_letters(&world.events[0], 0.0).await;
    assert_eq!(consumed(&world.events[0], "acked").await, 1.0, "once");
    verify(&world, &[]);
}

#[tokio::test]
async fn whatever_a_stranger_publishes_under_load_is_set_aside_and_costs_nobody_anything() {
    let Some(world) = World::start(1).await else { return };
    let (broker, vhost) = (&world.servers.broker, &world.servers.vhost);
    broker.user("stranger", vhost, [".*"; 3]);
    let folder = tempfile::tempdir().unwrap();
    let mut load = load(&world, folder.path(), &[]);
    eventually(START_TIMEOUT, "there is load", async || (load.recorded("booked") > 50).then_some(())).await;
    let url = format!("amqp://stranger:secret@127.0.0.1:{}/{vhost}", broker.port());
    strangers::are_listed_and_redriven(&url, |what| dead(&world, what)).await;
    load.stop();

    for replica in world.replicas() {
        for reason in ["arguments", "permission", "closed", "broken", "timeout", "queue_gone"] {
            assert_eq!(lost(replica, reason).await, 0.0, "{reason}");
        }
    }
    verify(&world, &["--against", load.record()]);
}
