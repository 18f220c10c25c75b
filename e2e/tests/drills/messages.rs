//! The connection to the broker is fine, and messages do not get through.

use futures_util::StreamExt;
use lapin::{
    Connection,
    options::BasicConsumeOptions,
    types::{AMQPValue, FieldTable},
};
use testing::rabbitmq::RabbitMq;

use crate::{
    drill::{Drill, Panel},
    system::{System, TARGETS},
    watch::Watch,
};

const SEATS: usize = 10;

/// What the services may write to: an operator changes it, and all connect again, since the broker looks once for each connection.
fn may_write(broker: &RabbitMq, what: &str) {
    let [user, host, all, tag] = ["guest", "/", ".*", "drill"].map(|text| format!("<<\"{text}\">>"));
    let set = format!("set_permissions({user}, {host}, {all}, <<\"{what}\">>, {all}, {tag})");
    assert_eq!(broker.eval(&format!("rabbit_auth_backend_internal:{set}")), "ok");
    broker.close_all_connections();
}

/// Nobody may publish to the exchange any more. The queues can be read, so both services are connected and call themselves ready.
#[tokio::test]
async fn the_outbox_is_stuck() {
    let Some(watch) = Watch::start().await else { return };
    let Some(system) = System::start(&watch).await else { return };
    let event = system.event().await;
    // What is not published cannot arrive.
    let mut drill = Drill::begin("the outbox is stuck", watch, TARGETS, &["MyEventsViewBehind"]).await;
    let panel = Panel { dashboard: "messaging", title: "Oldest waiting", moved: |age| age > 5.0 };
    drill
        .moves(panel, async |_| {
            may_write(&system.broker, "^(eventservice|bookingservice|amq[.]default)");
            for _ in 0..SEATS {
                system.book(&event).await;
            }
        })
        .await;
    drill.fires("MyEventsPublishFailing").await;
    drill.fires("MyEventsOutboxStuck").await;
    may_write(&system.broker, ".*");
    drill.is_over("MyEventsPublishFailing").await;
    drill.is_over("MyEventsOutboxStuck").await;
    system.shows(&event, SEATS).await;
    drill.end().await;
}

/// Takes all messages of a queue before its reader, and acknowledges none: somebody looks for a bug, and has forgotten his program.
async fn forgotten_reader(broker: &RabbitMq, queue: &str) -> Connection {
    let connection = broker.connect().await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut first = FieldTable::default();
    first.insert("x-priority".into(), AMQPValue::LongInt(10));
    let options = BasicConsumeOptions::default();
    let mut messages = channel.basic_consume(queue.into(), "forgotten".into(), options, first).await.unwrap();
    tokio::spawn(async move { while messages.next().await.is_some() {} });
    connection
}

#[tokio::test]
async fn the_view_is_behind() {
    let Some(watch) = Watch::start().await else { return };
    let Some(system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("the view is behind", watch, TARGETS, &[]).await;
    let title = "Changes of seats that the event service has not heard of";
    let panel = Panel { dashboard: "messaging", title, moved: |behind| behind > 0.0 };
    let mut reader = None;
    drill
        .moves(panel, async |_| {
            reader = Some(forgotten_reader(&system.broker, "eventservice").await);
            for _ in 0..SEATS {
                system.book(&event).await;
            }
        })
        .await;
    drill.fires("MyEventsViewBehind").await;
    let shown = system.events.rest.get(&format!("/events/{event}")).await.expect(200).json();
    assert_eq!(shown["booked_seats"], 0, "it runs, answers, and knows of nothing");
    let reader = reader.expect("it was started");
    reader.close(200, "it is found and ended".into()).await.unwrap();
    drill.is_over("MyEventsViewBehind").await;
    system.shows(&event, SEATS).await;
    drill.end().await;
}
