//! What may be in a queue, and what becomes of it: messages of strangers, poison, and those the broker gave up on.

use std::{
    collections::BTreeMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use amqp::AmqpBus;
use lapin::{
    BasicProperties, Channel,
    options::{BasicGetOptions, BasicNackOptions, BasicRejectOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use messaging::{Bus, Effect, Outcome, Subscription, metrics::ConsumeMetrics};
use testing::{
    bus_world::{Reader, SOON, World},
    eventually, eventually_mut, rabbitmq,
};

use crate::bus::{amqp, broker, tuning};

pub(crate) const NOTES: &[&str] = &["noteWritten"];

/// A reader as the services have one: it takes JSON of the one type it reads.
pub(crate) fn strict() -> Arc<Reader> {
    Reader::new(|message| {
        if message.name != "noteWritten" {
            return Outcome::Reject(format!("messages of type {:?} are not read here", message.name));
        }
        match serde_json::from_slice::<serde_json::Value>(&message.body) {
            Ok(_) => Outcome::Done(Effect::Applied),
            Err(cause) => Outcome::Reject(format!("not JSON: {cause}")),
        }
    })
}

/// A service that reads, with a bare channel beside it.
pub(crate) async fn world(reader: &Arc<Reader>) -> (World, Channel) {
    let mut world = World::new(amqp).await;
    world.subscribe(NOTES, reader).await;
    world.start();
    world.commit("noteWritten", true, [r#""the first""#]).await;
    eventually(SOON, "it reads", async || !reader.calls().is_empty()).await;
    let connection = lapin::Connection::connect(rabbitmq::url(), Default::default()).await.unwrap();
    (world, connection.create_channel().await.unwrap())
}

/// With a header that leaves no room for ours in one frame.
fn large_headers() -> FieldTable {
    let blob = AMQPValue::LongString("x".repeat(130_900).into());
    BTreeMap::from([("blob".into(), blob)]).into()
}

async fn publish(channel: &Channel, queue: &str, body: &[u8]) {
    let properties = BasicProperties::default();
    channel.basic_publish("".into(), queue.into(), Default::default(), body, properties).await.unwrap();
}

/// As a program of somebody else may do it: the routing key is all that tells what it is.
async fn publish_as_a_stranger(channel: &Channel, body: &[u8]) {
    let exchange = tuning().exchange.into();
    let properties = BasicProperties::default().with_headers(large_headers());
    channel.basic_publish(exchange, "noteWritten".into(), Default::default(), body, properties).await.unwrap();
}

pub(crate) async fn messages_in(channel: &Channel, queue: &str) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare(queue.into(), passive, Default::default()).await.unwrap().message_count()
}

#[tokio::test]
async fn what_is_no_message_of_ours_goes_to_the_dead_letters_and_others_go_on() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    publish(&channel, world.queue, b"\xff\xfe not even a text").await; // of no type, without any header
    publish_as_a_stranger(&channel, b"{").await;
    world.commit("noteWritten", true, [r#""after it""#]).await;
    eventually(SOON, "the good one is done", async || reader.bodies().contains(&r#""after it""#.to_owned())).await;
    let dead = format!(r#"myevents_dead_letters{{queue="{}"}}"#, world.queue);
    eventually(SOON, "both are dead letters", async || world.metric(&dead).await == 2.0).await;

    let mut causes: Vec<String> = world.dead.list().await.unwrap().into_iter().map(|letter| letter.cause).collect();
    causes.sort();
    assert!(causes[0].starts_with("messages of type"), "{causes:?}");
    assert!(causes[1].starts_with("not JSON"), "{causes:?}");
    let id = world.dead.list().await.unwrap()[0].id;
    assert_eq!(world.dead.redrive(Some(id)).await.unwrap(), 1, "it can be named, though it had no id");
}

#[tokio::test]
async fn a_strangers_message_has_one_name_id_and_time_among_the_dead_letters_and_on_its_way_back() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    publish_as_a_stranger(&channel, b"{").await;
    let read = || reader.calls().concat().into_iter().filter(|message| message.body == b"{").collect::<Vec<_>>();
    eventually(SOON, "it is a dead letter", async || !world.dead.list().await.unwrap().is_empty()).await;

    let (letter, first) = (world.dead.list().await.unwrap().remove(0), read().remove(0));
    let micros = |at: jiff::Timestamp| format!("{at:.6}");
    assert_eq!((&*letter.message, letter.id), ("noteWritten", first.id));
    assert_eq!(micros(letter.occurred_at), micros(first.occurred_at));
    assert!(letter.cause.starts_with("not JSON"), "{}", letter.cause);

    assert_eq!(world.dead.redrive(Some(letter.id)).await.unwrap(), 1);
    eventually(SOON, "it is tried again", async || read().len() == 2).await;
    eventually(SOON, "and dies again", async || world.dead.list().await.unwrap() == [letter.clone()]).await;
    let again = read().remove(1);
    assert_eq!((&*again.name, again.id, again.redriven), ("noteWritten", letter.id, true));
    assert_eq!(again.occurred_at, letter.occurred_at);
}

#[tokio::test]
async fn what_the_broker_gave_up_on_is_counted_listed_and_redriven() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    world.bus.close().await; // nobody reads: the message is given back as by a process that dies with it
    publish_as_a_stranger(&channel, br#""it is rejected""#).await;
    eventually(SOON, "it is rejected", async || {
        let got = channel.basic_get(world.queue.into(), BasicGetOptions { no_ack: false }).await.unwrap();
        let Some(got) = got else { return false };
        let reject = BasicRejectOptions { requeue: false };
        channel.basic_reject(got.delivery.delivery_tag, reject).await.unwrap();
        true
    })
    .await;
    let dead = format!("{}.dead", world.queue);
    eventually(SOON, "it is set aside", async || messages_in(&channel, &dead).await == 1).await;
    publish_as_a_stranger(&channel, br#""it kills""#).await;
    let mut returned = 0;
    eventually_mut(SOON, "the broker gave up on it", async || {
        let options = BasicGetOptions { no_ack: false };
        if let Some(got) = channel.basic_get(world.queue.into(), options).await.unwrap() {
            let requeue = BasicNackOptions { requeue: true, ..BasicNackOptions::default() };
            channel.basic_nack(got.delivery.delivery_tag, requeue).await.unwrap();
            returned += 1;
        }
        messages_in(&channel, &dead).await == 2
    })
    .await;
    assert_eq!(returned, 21);

    let next = world.killed_and_started_again().await;
    next.subscribe(NOTES, &reader).await;
    let dead = format!(r#"myevents_dead_letters{{queue="{}"}}"#, world.queue);
    eventually(SOON, "the gauge shows it", async || next.metric(&dead).await == 2.0).await;
    let letters = next.dead.list().await.unwrap();
    for (body, cause, tries) in [(r#""it is rejected""#, "rejected it", 1), (r#""it kills""#, "delivered 20 times", 20)]
    {
        let letter = letters.iter().find(|letter| letter.body == body).unwrap();
        assert!(letter.cause.contains(cause), "{}", letter.cause);
        assert_eq!(letter.message, "noteWritten", "the broker notes the routing key it had");
        assert_eq!(letter.attempts, tries);
    }
    assert_eq!(next.dead.list().await.unwrap(), letters, "the same at each look");
    assert_eq!(next.dead.redrive(None).await.unwrap(), 2);
    for letter in letters {
        eventually(SOON, "it is done", async || reader.bodies().contains(&letter.body)).await;
        let done = reader.done().into_iter().find(|message| message.body == letter.body.as_bytes()).unwrap();
        assert_eq!((done.id, done.occurred_at), (letter.id, letter.occurred_at));
        assert_eq!(reader.tries(&letter.body), 1);
    }
}

#[tokio::test]
async fn a_redrive_goes_on_with_the_other_queues_after_one_that_failed() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let (gone, there) = (World::new(amqp).await, World::new(amqp).await);
    let reader = Reader::accepting();
    gone.subscribe(NOTES, &reader).await; // one bus reads both queues, and this one comes first
    let metrics = ConsumeMetrics::new(&metrics::Registry::new(), there.queue, NOTES).unwrap();
    gone.bus
        .subscribe(Subscription {
            queue: there.queue,
            names: NOTES,
            handler: reader.clone(),
            metrics,
            stories: Default::default(),
            resync_request: None,
        })
        .await;
    let connection = lapin::Connection::connect(rabbitmq::url(), Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let list = async || gone.dead.list().await;
    eventually(SOON, "both queues are there", async || {
        list().await.is_ok() && gone.dead.counts().await.unwrap().len() == 2
    })
    .await;
    publish(&channel, &format!("{}.dead", there.queue), b"dead").await;
    eventually(SOON, "it is a dead letter", async || list().await.unwrap().len() == 1).await;

    channel.queue_delete(format!("{}.dead", gone.queue).into(), Default::default()).await.unwrap();
    let failed = gone.dead.redrive(None).await.unwrap_err().0;

    assert!(failed.starts_with("1 went to their queue; ") && failed.contains(&format!("{}: ", gone.queue)), "{failed}");
    eventually(SOON, "the other one is handled", async || reader.bodies() == ["dead"]).await;
}

#[tokio::test]
async fn a_batch_that_waits_long_goes_to_the_end_of_the_queue_and_counts_as_new() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let mut tuning = tuning();
    tuning.retry_max = Duration::from_millis(300);
    let bus = AmqpBus::start(broker(rabbitmq::url()), "a test", tuning);
    let reader = Reader::new(|_| Outcome::Retry("the store is away".into()));
    let queue = format!("notes-{}", uuid::Uuid::new_v4()).leak();
    let metrics = ConsumeMetrics::new(&metrics::Registry::new(), queue, NOTES).unwrap();
    let (handler, stories) = (reader.clone(), Default::default());
    bus.subscribe(Subscription { queue, names: NOTES, handler, metrics, stories, resync_request: None }).await;
    let sent: Vec<_> = ["1", "2", "3"].map(|body| messaging::Entry::new("noteWritten", true, body.into(), None)).into();
    let published = async || bus.publish(&sent).await.iter().all(Result::is_ok);
    eventually(SOON, "they are published", published).await;
    let connection = lapin::Connection::connect(rabbitmq::url(), Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    publish_as_a_stranger(&channel, b"4").await;
    // Far more often than the broker would deliver a message that comes back.
    eventually(Duration::from_secs(30), "it was put back often", async || reader.tries("1") > 80).await;
    reader.accept_all();
    let done = async || ["1", "2", "3", "4"].iter().all(|body| reader.bodies().iter().any(|done| done == body));
    eventually(SOON, "all are done", done).await;
    assert_eq!(messages_in(&channel, &format!("{queue}.dead")).await, 0);
    for message in reader.done() {
        let of_ours = sent.iter().any(|entry| entry.message.id == message.id);
        assert!(of_ours || message.body == b"4", "it is still the same message");
        assert_eq!(message.name, "noteWritten", "that of a stranger, too");
    }
}

#[tokio::test]
async fn a_stop_with_all_it_may_hold_loses_nothing_and_takes_seconds() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let begun = Arc::new(AtomicUsize::new(0));
    let counter = begun.clone();
    let reader = Reader::new(move |_| {
        counter.fetch_add(1, Ordering::SeqCst);
        Outcome::Retry("the store is away".into())
    });
    let mut world = World::new(amqp).await;
    world.subscribe(NOTES, &reader).await;
    world.start();
    let bodies: Vec<String> = (0..2000).map(|n| n.to_string()).collect();
    world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
    world.all_is_sent().await;
    eventually(SOON, "it is busy", async || begun.load(Ordering::SeqCst) > 0).await;
    let began = std::time::Instant::now();
    world.stop().await;
    assert!(began.elapsed() < Duration::from_secs(8), "{:?}", began.elapsed());

    let next = world.killed_and_started_again().await;
    let reader = Reader::accepting();
    next.subscribe(NOTES, &reader).await;
    eventually(SOON, "all are done", async || reader.done().len() >= bodies.len()).await;
    assert_eq!(next.dead.list().await.unwrap(), []);
}

#[tokio::test]
async fn a_message_on_the_wire_is_what_the_readers_of_other_systems_are_promised() {
    let Some(_server) = rabbitmq::shared().await else { return };
    let reader = strict();
    let (world, channel) = world(&reader).await;
    channel.queue_declare(format!("{}.spy", world.queue).into(), Default::default(), Default::default()).await.unwrap();
    let spy = format!("{}.spy", world.queue);
    let exchange = tuning().exchange;
    channel
        .queue_bind(spy.as_str().into(), exchange.into(), "#".into(), Default::default(), Default::default())
        .await
        .unwrap();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let entry = messaging::Entry::new("noteWritten", true, b"{}".to_vec(), Some(trace.into()));
    world.commit_entries(vec![entry.clone()]).await;
    let mut got = None;
    eventually_mut(SOON, "it is seen", async || {
        got = channel.basic_get(spy.as_str().into(), BasicGetOptions { no_ack: true }).await.unwrap();
        got.is_some()
    })
    .await;
    let got = got.unwrap().delivery;
    assert_eq!(got.routing_key.as_str(), "noteWritten");
    let (properties, message) = (&got.properties, entry.message);
    assert_eq!(properties.message_id().as_ref().unwrap().as_str(), message.id.to_string());
    assert_eq!(*properties.delivery_mode(), Some(2), "persistent");
    assert_eq!(*properties.timestamp(), Some(message.occurred_at.as_second().unsigned_abs()));
    let headers = properties.headers().clone().unwrap();
    let header = |name: &str| match headers.inner().get(name) {
        Some(AMQPValue::LongString(text)) => String::from_utf8(text.as_bytes().to_vec()).unwrap(),
        other => panic!("{name} is {other:?}"),
    };
    assert_eq!(header("x-event-name"), "noteWritten");
    assert_eq!(header("traceparent"), trace);
    let at = header("x-occurred-at");
    assert!(at.len() == "2026-11-21T08:00:00.123456Z".len() && at.ends_with('Z'), "{at}");
}
