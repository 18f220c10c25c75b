//! What must be there at the broker: the exchange, a service's queue, its dead letters, and what binds them.
//!
//! Declared on every connection, and looked after while it lasts: a queue or an exchange that somebody deletes is there
//! again within seconds. The arguments of the queue are wire format. The broker refuses (406) a service that wants others
//! than the queue has, and that is right: two versions would else disagree about what happens to a message. The service then
//! reads nothing from it, and tries again.

use lapin::{
    Channel, ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use messaging::Subscription;

use super::{
    connection::Connection,
    disconnect::{Disconnect, Reason, refused_with},
};

/// Delivered so often without an end, a message is one that kills the process.
pub(super) const DELIVERY_LIMIT: i32 = 20;

/// Where the messages that `queue` gave up on are.
pub(super) fn dead_letter_queue(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The exchange all messages are published to. Who only publishes needs nothing more.
pub(super) async fn exchange(connection: &Connection, channel: &Channel, name: &str) -> Result<(), Disconnect> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let none = FieldTable::default();
    connection.call("exchange.declare", channel.exchange_declare(name.into(), ExchangeKind::Topic, options, none)).await
}

/// Whether the queue is there.
pub(super) async fn exists(connection: &Connection, queue: &str) -> Result<bool, Disconnect> {
    let passive = QueueDeclareOptions { passive: true, ..durable() };
    let channel = connection.channel().await?; // of its own: the answer no costs it
    match connection
        .answer("queue.declare", channel.queue_declare(queue.into(), passive, FieldTable::default()))
        .await?
    {
        Ok(_) => Ok(true),
        Err(error) if refused_with(&error, 404) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All a subscription needs, on a connection that has the exchange.
pub(super) async fn declare(
    connection: &Connection,
    exchange: &str,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    let queue = subscription.queue;
    declare_dead(connection, &dead_letter_queue(queue)).await?; // first: a queue must not give up on a message that then has no place
    let channel = connection.channel().await?;
    let declared = channel.queue_declare(queue.into(), durable(), arguments(queue));
    connection.call("queue.declare", declared).await.map_err(|disconnect| explain(disconnect, queue))?;
    bind(connection, &channel, exchange, subscription).await
}

/// Binds the queue to what it reads.
pub(super) async fn bind(
    connection: &Connection,
    channel: &Channel,
    exchange: &str,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    for name in subscription.names {
        let (queue, options) = (subscription.queue.into(), QueueBindOptions::default());
        let bound = channel.queue_bind(queue, exchange.into(), (*name).into(), options, FieldTable::default());
        connection.call("queue.bind", bound).await?;
    }
    Ok(())
}

/// How many dead letters there are; fails where the queue is not there.
pub(super) async fn count_dead(connection: &Connection, channel: &Channel, queue: &str) -> Result<u64, Disconnect> {
    let options = QueueDeclareOptions { passive: true, ..durable() };
    let counted = channel.queue_declare(dead_letter_queue(queue).into(), options, FieldTable::default());
    Ok(connection.call("queue.declare", counted).await?.message_count().into())
}

/// The dead letters have no limit of deliveries, since looking at them is one, too. RabbitMQ 3 has none unless it is given;
/// RabbitMQ 4 has one of 20 unless another is given. -1 means none only there: 3.10 takes it, and drops a message at the
/// first look. The highest number means none on both. One that is there already is taken as it is.
async fn declare_dead(connection: &Connection, name: &str) -> Result<(), Disconnect> {
    if exists(connection, name).await? {
        return Ok(());
    }
    let mut arguments = quorum();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(i32::MAX));
    let channel = connection.channel().await?;
    connection.call("queue.declare", channel.queue_declare(name.into(), durable(), arguments)).await.map(drop)
}

fn durable() -> QueueDeclareOptions {
    QueueDeclareOptions { durable: true, ..QueueDeclareOptions::default() }
}

fn quorum() -> FieldTable {
    let mut arguments = FieldTable::default();
    arguments.insert("x-queue-type".into(), text("quorum"));
    arguments
}

/// The queue's arguments. A change here is a change of the wire format.
fn arguments(queue: &str) -> FieldTable {
    let mut arguments = quorum();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(DELIVERY_LIMIT));
    arguments.insert("x-dead-letter-exchange".into(), text(""));
    arguments.insert("x-dead-letter-routing-key".into(), text(&dead_letter_queue(queue)));
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
