//! SIGTERM with all hands full: thousands of messages wait, as many as the broker hands out are in hand, and the process is
//! told to stop. It ends in order, and whatever it had not finished is there for the next one.

use std::time::{Duration, Instant};

use e2e::{eventually, samples};
use futures_util::{StreamExt, stream};
use lapin::{BasicProperties, Channel, options::QueueDeclareOptions};
use serde_json::json;

use crate::world::World;

const MESSAGES: u32 = 5000;

/// Many, since the moment matters: a deadlock with the AMQP client's thread came once in a hundred stops.
const ROUNDS: u32 = 20;

/// Of a busy machine.
const PATIENCE: Duration = Duration::from_secs(60);

async fn waiting(channel: &Channel) -> u32 {
    let passive = QueueDeclareOptions { passive: true, ..QueueDeclareOptions::default() };
    channel.queue_declare("bookingservice".into(), passive, Default::default()).await.unwrap().message_count()
}

/// An id like those of events, of a number.
fn id(number: u32) -> String {
    format!("01936c4e-7d00-7000-8000-{number:012x}")
}

#[tokio::test]
async fn a_service_that_is_stopped_with_its_hands_full_ends_in_order_and_loses_nothing() {
    let Some(mut world) = World::start(1).await else { return };
    let channel = world.servers.connect().await;
    world.bookings[0].stop();
    for number in 0..MESSAGES {
        let created = json!({"id": id(number), "name": "many", "start_date": samples::START, "end_date": samples::END});
        let (body, properties) = (created.to_string(), BasicProperties::default().with_delivery_mode(2));
        let confirm = channel.basic_publish(
            "".into(),
            "bookingservice".into(),
            Default::default(),
            body.as_bytes(),
            // By the queue's name, so that nobody else hears of it; this is how it says what it is.
            properties.with_headers(name("eventCreated")),
        );
        confirm.await.unwrap();
    }
    eventually(PATIENCE, "all of them wait", async || (waiting(&channel).await == MESSAGES).then_some(())).await;

    for round in 0..ROUNDS {
        world.bookings[0].start_again();
        let before = waiting(&channel).await;
        eventually(PATIENCE, "its hands are full", async || (waiting(&channel).await < before).then_some(())).await;
        let began = Instant::now();
        let end = world.bookings[0].stop();
        println!("round {round}: {} of {before} left, stopped within {:?}", waiting(&channel).await, began.elapsed());
        assert_eq!(end.code(), Some(0), "{}", world.bookings[0].log());
        if round == 0 {
            assert!(waiting(&channel).await > 0, "inconclusive: all was done before it could be stopped");
        }
        if waiting(&channel).await == 0 {
            break;
        }
    }

    world.bookings[0].start_again();
    eventually(PATIENCE, "all is done", async || (waiting(&channel).await == 0).then_some(())).await;
    let rest = &world.bookings[0].rest;
    let known = stream::iter(0..MESSAGES).map(|number| async move {
        eventually(PATIENCE, "the event is known", async || {
            (rest.get(&format!("/events/{}", id(number))).await.status == 200).then_some(())
        })
        .await;
    });
    known.buffer_unordered(16).collect::<()>().await;
    assert_eq!(world.bookings[0].ops.metrics().await.sum("myevents_dead_letters", &[]), 0.0);
}

fn name(message: &str) -> lapin::types::FieldTable {
    let mut headers = lapin::types::FieldTable::default();
    headers.insert("x-event-name".into(), lapin::types::AMQPValue::LongString(message.into()));
    headers
}
