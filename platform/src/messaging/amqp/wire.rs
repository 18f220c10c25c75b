//! A message as AMQP carries it: properties, headers, and back. What is written here is wire format.
//!
//! Reading never fails. Anybody can publish anything, and what is no message of ours must reach a handler to be called
//! `Never` and become a dead letter, not stop the reading.

use jiff::Timestamp;
use lapin::{
    BasicProperties,
    message::Delivery,
    types::{AMQPValue, FieldTable},
};
use uuid::Uuid;

use crate::messaging::Message;

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
pub(super) const BROKERS_NOTE: &str = "x-death";

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
    let name = text(properties, NAME).unwrap_or_else(|| delivery.routing_key.to_string());
    let seconds = || properties.timestamp().and_then(|at| Timestamp::from_second(i64::try_from(at).ok()?).ok());
    let occurred_at = text(properties, OCCURRED_AT).and_then(|text| text.parse().ok()).or_else(seconds);
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

/// The properties of a message that goes to the dead letters: what it had, and why.
pub(super) fn buried(properties: &BasicProperties, cause: &str, attempts: u32) -> BasicProperties {
    let mut headers = properties.headers().clone().unwrap_or_default();
    let cause: String = cause.chars().take(1000).collect(); // a frame has 128 KB for all headers
    headers.insert(DEAD_CAUSE.into(), AMQPValue::LongString(cause.into()));
    headers.insert(DEAD_ATTEMPTS.into(), AMQPValue::LongUInt(attempts));
    properties.clone().with_headers(headers).with_delivery_mode(2)
}

/// The properties of a message that comes back from the dead letters: what it had, without why it died.
pub(super) fn redriven(properties: &BasicProperties) -> BasicProperties {
    let old = properties.headers().clone().unwrap_or_default();
    let mut headers = FieldTable::default();
    for (name, value) in &old {
        if ![DEAD_CAUSE, DEAD_ATTEMPTS, BROKERS_NOTE].contains(&name.as_str()) {
            headers.insert(name.clone(), value.clone());
        }
    }
    headers.insert(REDRIVEN.into(), AMQPValue::Boolean(true));
    properties.clone().with_headers(headers).with_delivery_mode(2)
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
