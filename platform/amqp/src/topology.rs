//! The topology at the broker: the exchange, the service's queue, its dead letter queue, and the bindings.
//!
//! It is declared on every connection, and checked while that is open: a deleted queue or exchange is back within seconds. The
//! arguments of the queue are wire format. The broker refuses (406) a declaration with other arguments: two versions would
//! disagree about what happens to a message. The service then reads nothing from the queue, and retries. Read next: `wire.rs`.

use std::sync::Arc;

use lapin::{
    ExchangeKind, Queue,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use messaging::Subscription;

use super::{
    connection::{Channel, Connection},
    disconnect::{Disconnect, Reason},
    wire,
};

/// After so many deliveries without an acknowledgement, the broker takes a message for one that kills its reader.
pub(super) const DELIVERY_LIMIT: i32 = 20;

/// Declares the exchange that all messages are published to.
pub(super) async fn exchange(channel: &Channel, name: &str) -> Result<(), Disconnect> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default());
    channel.connection.call("exchange.declare", declared).await
}

/// Declares a queue, or only looks at it if `passive`.
async fn queue(channel: &Channel, name: &str, passive: bool, arguments: FieldTable) -> Result<Queue, Disconnect> {
    let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
    channel.connection.call("queue.declare", channel.queue_declare(name.into(), options, arguments)).await
}

pub(super) async fn exists(connection: &Arc<Connection>, name: &str) -> Result<bool, Disconnect> {
    let channel = connection.channel().await?; // of its own: the answer 404 closes it
    match queue(&channel, name, true, FieldTable::default()).await {
        Ok(_) => Ok(true),
        Err(disconnect) if disconnect.reason == Reason::QueueGone => Ok(false),
        Err(disconnect) => Err(disconnect),
    }
}

/// Declares all that a subscription needs. The exchange must exist.
pub(super) async fn declare(
    connection: &Arc<Connection>,
    exchange: &str,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    let name = subscription.queue;
    declare_dead(connection, &wire::dead_letter_queue(name)).await?; // first: a queue must not give up on a message before its dead letter queue exists
    let channel = connection.channel().await?;
    queue(&channel, name, false, arguments(name)).await.map_err(|disconnect| explain(disconnect, name))?;
    bind(&channel, exchange, subscription).await
}

/// Binds the queue to the names of the messages it reads.
pub(super) async fn bind(channel: &Channel, exchange: &str, subscription: &Subscription) -> Result<(), Disconnect> {
    for name in subscription.names {
        let (queue, options) = (subscription.queue.into(), QueueBindOptions::default());
        let bound = channel.queue_bind(queue, exchange.into(), (*name).into(), options, FieldTable::default());
        channel.connection.call("queue.bind", bound).await?;
    }
    Ok(())
}

/// How many dead letters there are. Fails if the queue does not exist.
pub(super) async fn count_dead(channel: &Channel, name: &str) -> Result<u64, Disconnect> {
    Ok(queue(channel, &wire::dead_letter_queue(name), true, FieldTable::default()).await?.message_count().into())
}

/// Declares a dead letter queue without a delivery limit, since listing it is a delivery. RabbitMQ 3 has no limit by default;
/// RabbitMQ 4 has 20 (<https://github.com/rabbitmq/rabbitmq-server/pull/11937>), and -1 means none only there: 3.10 drops the
/// message at its first delivery. The highest number means none on both; it can be -1 when RabbitMQ 3 is no longer supported. A
/// queue that exists is left as it is.
async fn declare_dead(connection: &Arc<Connection>, name: &str) -> Result<(), Disconnect> {
    if !exists(connection, name).await? {
        queue(&connection.channel().await?, name, false, quorum(i32::MAX)).await?;
    }
    Ok(())
}

fn quorum(delivery_limit: i32) -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(delivery_limit));
    arguments
}

/// The queue's arguments. A change here is a change of the wire format.
fn arguments(queue: &str) -> FieldTable {
    let mut arguments = quorum(DELIVERY_LIMIT);
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&wire::dead_letter_queue(queue)));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish")); // what at-least-once asks for
    arguments
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn explain(disconnect: Disconnect, queue: &str) -> Disconnect {
    if disconnect.reason != Reason::Arguments {
        return disconnect;
    }
    let text = format!(
        "the queue {queue:?} is there with other arguments than this version needs, and arguments cannot be changed: let \
         its messages be read by the version that made it, or move them away, then delete it (rabbitmqctl delete_queue \
         {queue}); this service declares it again by itself. {}",
        disconnect.text
    );
    Disconnect::new(Reason::Arguments, text)
}
