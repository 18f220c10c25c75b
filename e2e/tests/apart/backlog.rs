//! Work for a consumer: thousands of messages in the queue of the booking service, so that whatever happens to it happens in
//! mid-delivery.

use std::time::Duration;

use e2e::{Api, eventually, samples};
use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties, Channel,
    types::{AMQPValue, FieldTable},
};
use serde_json::json;

pub(crate) const QUEUE: &str = "bookingservice";

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

/// Publishes a message for each of these events. Of one that is known there already it changes nothing.
pub(crate) async fn fill(channel: &Channel, events: impl Iterator<Item = String>) {
    // By the queue's name, so that nobody else learns of it; this is how it says what it is.
    let mut headers = FieldTable::default();
    headers.insert("x-event-name".into(), AMQPValue::LongString("eventCreated".into()));
    let properties = BasicProperties::default().with_delivery_mode(2).with_headers(headers);
    for event in events {
        let created = json!({"id": event, "name": "many", "start_date": samples::START, "end_date": samples::END});
        let (body, properties) = (created.to_string(), properties.clone());
        channel.basic_publish("".into(), QUEUE.into(), Default::default(), body.as_bytes(), properties).await.unwrap();
    }
}

/// Waits until the service knows all of these events.
pub(crate) async fn all_known(rest: &Api, events: impl Iterator<Item = String>) {
    let known = stream::iter(events).map(|event| async move {
        eventually(STEP_TIMEOUT, "the event is known", async || {
            (rest.get(&format!("/events/{event}")).await.status == 200).then_some(())
        })
        .await;
    });
    known.buffer_unordered(16).collect::<()>().await;
}

/// So many ids like those of events, that nobody else has.
pub(crate) fn ids(count: u32) -> impl Iterator<Item = String> {
    (0..count).map(|number| format!("01936c4e-7d00-7000-8000-{number:012x}"))
}
