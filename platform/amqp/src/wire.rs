//! A message as AMQP properties, headers and body, and back. This is wire format.
//!
//! What is published here is always a message of ours: of one that somebody else published, only what was read goes on, to the
//! dead letters, to the end of the queue or into a redrive. Its own properties and headers do not: they may end its life
//! (`expiration`), be refused (`user_id`), or send it elsewhere (`CC`). Each part is short, so that all fit into the smallest frame
//! that AMQP knows, of 4,096 bytes: the broker ends a connection for one that is too large.
//!
//! Reading never fails: any client can publish anything, and a message that is not of a service must reach a handler, which
//! answers `Reject`. So it becomes a dead letter, and does not stop the consumer. Read next: `consume.rs`.

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable, MAX_SHORT_STRING_LENGTH},
};
use messaging::Message;
use uuid::Uuid;

/// The name of the message.
const NAME: &str = "x-event-name";

/// When it was written to the outbox. The AMQP timestamp has only whole seconds.
const OCCURRED_AT: &str = "x-occurred-at";

const TRACEPARENT: &str = "traceparent";
const TRACEPARENT_LENGTH: usize = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".len();

/// Set by a redrive.
const REDRIVEN: &str = "x-redriven";

/// Why a service gave up on it, and after how many attempts.
pub(super) const DEAD_CAUSE: &str = "x-dead-cause";
pub(super) const DEAD_ATTEMPTS: &str = "x-dead-attempts";

/// Written by the broker when it moves a message to the dead letters itself.
pub(super) const BROKERS_NOTE: &str = "x-death";

/// All headers that are read: `properties.rs` leaves away the others.
pub(super) const HEADERS: [&str; 7] =
    [NAME, OCCURRED_AT, TRACEPARENT, REDRIVEN, DEAD_CAUSE, DEAD_ATTEMPTS, BROKERS_NOTE];

/// Of a cause, in characters: up to 2,000 bytes.
const CAUSE_MAX: usize = 500;

/// jiff would print nanoseconds.
const MICROSECONDS: usize = 6;

/// Beside each queue that is read.
pub(super) fn dead_letter_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

pub(super) fn properties(message: &Message) -> BasicProperties {
    let mut headers = FieldTable::default();
    let mut header = |name: &str, value: &str| {
        headers.insert(name.into(), AMQPValue::LongString(value.into()));
    };
    header(NAME, &message.name);
    header(OCCURRED_AT, &format!("{:.MICROSECONDS$}", message.occurred_at));
    if let Some(trace) = message.traceparent.as_ref().filter(|trace| trace.len() == TRACEPARENT_LENGTH) {
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

pub(super) fn message(delivery: &Delivery) -> Message {
    let properties = &delivery.properties;
    let key = || key_before_death(delivery).unwrap_or_else(|| delivery.routing_key.to_string());
    // A routing key cannot be longer.
    let name = text(properties, NAME).filter(|name| name.len() <= MAX_SHORT_STRING_LENGTH).unwrap_or_else(key);
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

/// A message of another client may have no id, or one that is no UUID. It gets one that is computed from its contents: the same
/// each time it is read, so that a redrive can name it.
fn id(delivery: &Delivery, name: &str) -> Uuid {
    let given = delivery.properties.message_id().as_ref().and_then(|id| Uuid::parse_str(id.as_str()).ok());
    given.unwrap_or_else(|| Uuid::new_v5(&Uuid::NAMESPACE_OID, &[name.as_bytes(), b"\0", &delivery.data].concat()))
}

fn seconds(at: u64) -> Option<Timestamp> {
    Timestamp::from_second(i64::try_from(at).ok()?).ok()
}

/// What the broker wrote when it moved this message to the dead letters, if it did.
pub(super) fn brokers_note(delivery: &Delivery) -> Option<&FieldTable> {
    let notes = header(&delivery.properties, BROKERS_NOTE)?.as_array()?;
    // Entries of other queues are about earlier moves.
    let this = |note: &&FieldTable| {
        let queue = note.inner().get("queue").and_then(AMQPValue::as_long_string);
        queue.is_some_and(|queue| dead_letter_queue(&queue.to_string()) == delivery.routing_key.as_str())
    };
    notes.as_slice().iter().filter_map(AMQPValue::as_field_table).find(this)
}

/// The routing key it had before. In the dead letter queue it is the name of that queue.
fn key_before_death(delivery: &Delivery) -> Option<String> {
    let keys = brokers_note(delivery)?.inner().get("routing-keys")?.as_array()?;
    Some(keys.as_slice().first()?.as_long_string()?.to_string())
}

/// The properties of a message that goes to the dead letters.
pub(super) fn dead_letter(read: &Message, cause: &str, attempts: u32) -> BasicProperties {
    let cause: String = cause.chars().take(CAUSE_MAX).collect();
    let ours = properties(read);
    let mut headers = ours.headers().clone().unwrap_or_default();
    headers.insert(DEAD_CAUSE.into(), AMQPValue::LongString(cause.into()));
    headers.insert(DEAD_ATTEMPTS.into(), AMQPValue::LongUInt(attempts));
    ours.with_headers(headers)
}

/// A header of any type.
pub(super) fn header<'p>(properties: &'p BasicProperties, name: &str) -> Option<&'p AMQPValue> {
    properties.headers().as_ref()?.inner().get(name)
}

/// A header that is a text.
pub(super) fn text(properties: &BasicProperties, name: &str) -> Option<String> {
    let text = header(properties, name)?.as_long_string()?;
    Some(String::from_utf8_lossy(text.as_bytes()).into_owned())
}
