//! The broker is away, or takes no messages. Bookings go on all the while, and none of their messages is lost.

use crate::{
    drill::{Drill, Panel},
    system::{System, TARGETS},
    watch::Watch,
};

/// So many bookings are made in the fault.
const SEATS: usize = 10;

/// They wait in the outbox: what the event service shows is old, and what the relay tries does not leave. That is true, and users see it,
/// so it is a page of its own.
const MESSAGES_WAIT: [&str; 2] = ["MyEventsViewBehind", "MyEventsPublishFailing"];

#[tokio::test]
async fn the_broker_is_away() {
    let Some(watch) = Watch::start().await else { return };
    let Some(system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let may = &["MyEventsTargetDown", MESSAGES_WAIT[0], MESSAGES_WAIT[1]];
    let mut drill = Drill::begin("the broker is away", watch, TARGETS, may).await;
    system.broker.remembers_its_queues();
    let panel = Panel { dashboard: "messaging", title: "Session with the broker", moved: |session| session < 1.0 };
    drill.moves(panel, async |_| system.broker.kill()).await;
    for _ in 0..SEATS {
        system.book(&event).await;
    }
    drill.fires("MyEventsAmqpDisconnected").await;
    drill.fires("RabbitMQNodeDown").await;
    system.broker.start();
    drill.is_over("MyEventsAmqpDisconnected").await;
    drill.is_over("RabbitMQNodeDown").await;
    system.shows(&event, SEATS).await;
    drill.end().await;
}

/// It says so only to who publishes.
#[tokio::test]
async fn the_broker_takes_no_messages() {
    let Some(watch) = Watch::start().await else { return };
    let Some(system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("the broker takes no messages", watch, TARGETS, &MESSAGES_WAIT).await;
    let panel = Panel { dashboard: "messaging", title: "Session with the broker", moved: |session| session > 1.0 };
    drill
        .moves(panel, async |_| {
            system.broker.memory_alarm(true);
            for _ in 0..SEATS {
                system.book(&event).await;
            }
        })
        .await;
    drill.fires("MyEventsAmqpBlocked").await;
    drill.fires("RabbitMQMemoryAlarm").await;
    system.broker.memory_alarm(false);
    drill.is_over("MyEventsAmqpBlocked").await;
    drill.is_over("RabbitMQMemoryAlarm").await;
    system.shows(&event, SEATS).await;
    drill.end().await;
}
