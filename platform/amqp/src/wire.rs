//! A message as AMQP carries it: properties, headers, and back. What is written here is wire format.
//!
//! Reading never fails. Anybody can publish anything, and what is no message of ours must reach a handler to be called
//! `Reject` and become a dead letter, not stop the reading.

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use messaging::Message;
use uuid::Uuid;

use super::topology;

/// What kind of message it is.
const NAME: &str = "x-event-name";

/// When it was written to the outbox; the AMQP timestamp beside it has whole seconds only.
const OCCURRED_AT: &str = "x-occurred-at";

const TRACEPARENT: &str = "traceparent";

/// Set on its way back from the dead letters.
const REDRIVEN: &str = "x-redriven";

/// Why a service gave up on it, and after how many tries.
pub(super) const DEAD_CAUSE: &str = "x-dead-cause";
pub(super) const DEAD_ATTEMPTS: &str = "x-dead-attempts";

/// What the broker notes when it gives up on a message itself.
const BROKERS_NOTE: &str = "x-death";

/// In nanoseconds nobody is interested, and jiff would print them.
const MICROSECONDS: usize = 6;

/// What is published beside the body.
pub(super) fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut header = |name: &str, value: &str| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    header(NAME, &message.name);
    header(OCCURRED_AT, &format!("{:.MICROSECONDS$}", message.occurred_at));
    if let Some(trace) = &message.traceparent {
        header(TRACEPARENT, trace);
    }
    if message.redriven {
        headers.insert(REDRIVEN.into(), AMQPValue::Boolean(true));
    }
    BasicProperties::default()
        .with_content_type("application/json".into())
        .with_delivery_mode(2) // persistent
        .with_message_id(message.id.to_string().into())
        .with_timestamp(u64::try_from(message.occurred_at.as_second()).unwrap_or_default())
        .with_headers(headers)
}

/// The message in a delivery.
pub(super) fn message(delivery: &Delivery) -> Message {
    let properties = &delivery.properties;
    let key = || key_before_death(delivery).unwrap_or_else(|| delivery.routing_key.to_string());
    let name = text(properties, NAME).unwrap_or_else(key);
    let timestamp = || properties.timestamp().and_then(seconds);
    let died = || brokers_note(delivery)?.inner().get("time")?.as_timestamp().and_then(seconds);
    let written = text(properties, OCCURRED_AT).and_then(|text| text.parse().ok());
    let occurred_at = written.or_else(timestamp).or_else(died);
    Message {
        id: id(delivery, &name),
        name,
        body: delivery.data.clone(),
        occurred_at: occurred_at.unwrap_or_else(Timestamp::now),
        traceparent: text(properties, TRACEPARENT),
        redriven: header(properties, REDRIVEN).and_then(AMQPValue::as_bool).unwrap_or(false),
    }
}

/// A message of somebody else may have no id, or one that is no UUID. It gets one of its contents, which is the same
/// each time it is looked at, so that it can be named in a redrive.
fn id(delivery: &Delivery, name: &str) -> Uuid {
    let given = delivery.properties.message_id().as_ref().and_then(|id| Uuid::parse_str(id.as_str()).ok());
    given.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, &[name.as_bytes(), b"\0", &delivery.data].concat()))
}

fn seconds(at: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(at).ok()?).ok()
}

/// What the broker noted when it gave up on this message, if it was the broker that moved it to the dead letters.
pub(super) fn brokers_note(delivery: &Delivery) -> Option<&FieldTable> {
    let notes = header(&delivery.properties, BROKERS_NOTE)?.as_array()?;
    // Others, of queues it was in before, tell nothing about this move.
    let this = |note: &&FieldTable| {
        let queue = note.inner().get("queue").and_then(AMQPValue::as_long_string);
        queue.is_some_and(|queue| topology::dead_letter_queue(&queue.to_string()) == delivery.routing_key.as_str())
    };
    notes.as_slice().iter().filter_map(AMQPValue::as_field_table).find(this)
}

/// The routing key it had in the queue that gave up on it; the broker replaces it by the name of the dead letters.
fn key_before_death(delivery: &Delivery) -> Option<String> {
    let keys = brokers_note(delivery)?.inner().get("routing-keys")?.as_array()?;
    Some(keys.as_slice().first()?.as_long_string()?.to_string())
}

/// The properties of a message that goes on to a queue by that queue's name: what it had. Its routing key will tell nothing
/// any more, so what was read of it is written down; a message of a stranger may have that in no header.
pub(super) fn forwarded(properties: &BasicProperties, read: &Message) -> BasicProperties {
    let (ours, mut headers) = (self::properties(read), properties.headers().clone().unwrap_or_default());
    for (name, value) in ours.headers().iter().flatten() {
        headers.insert(name.clone(), value.clone());
    }
    let id = read.id.to_string().into();
    properties.clone().with_headers(headers).with_message_id(id).with_delivery_mode(2)
}

/// The properties of a message that goes to the dead letters: what it had, and why.
pub(super) fn dead_letter(properties: &BasicProperties, read: &Message, cause: &str, attempts: u32) -> BasicProperties {
    let properties = forwarded(properties, read);
    let mut headers = properties.headers().clone().unwrap_or_default();
    let cause: String = cause.chars().take(1000).collect(); // a frame has 128 KB for all headers
    headers.insert(DEAD_CAUSE.into(), AMQPValue::LongString(cause.into()));
    headers.insert(DEAD_ATTEMPTS.into(), AMQPValue::LongUInt(attempts));
    properties.with_headers(headers)
}

/// The properties of a message that comes back from the dead letters: what it had, without why it died.
pub(super) fn redriven(properties: &BasicProperties, read: &Message) -> BasicProperties {
    let properties = forwarded(properties, read);
    let old = properties.headers().clone().unwrap_or_default();
    let mut headers = FieldTable::default();
    for (name, value) in &old {
        if ![DEAD_CAUSE, DEAD_ATTEMPTS, BROKERS_NOTE].contains(&name.as_str()) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(REDRIVEN.into(), AMQPValue::Boolean(true));
    properties.with_headers(headers)
}

/// A header, whatever it holds.
pub(super) fn header<'p>(properties: &'p BasicProperties, name: &str) -> Option<&'p AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

/// A header that holds a text.
pub(super) fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    let text = header(properties, name)?.as_long_string()?;
    Some(String::from_utf8_lossy(text.as_bytes()).into_owned())
}
