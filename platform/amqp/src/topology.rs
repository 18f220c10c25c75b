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
    line::Line,
    lost::{Lost, Reason, refused_with},
};

/// Delivered so often without an end, a message is one that kills the process.
pub(super) const DELIVERY_LIMIT: i32 = 20;

/// Where the messages that `queue` gave up on are.
pub(super) fn dead(queue: &str) -> String {
    format!("{queue}.dead")
}

/// The exchange all messages are published to. Who only publishes needs nothing more.
pub(super) async fn exchange(line: &Line, channel: &Channel, name: &str) -> Result<(), Lost> {
    let options = ExchangeDeclareOptions { durable: true, ..ExchangeDeclareOptions::default() };
    let none = FieldTable::default();
    line.call("exchange.declare", channel.exchange_declare(name.into(), ExchangeKind::Topic, options, none)).await
}

/// Whether the queue is there.
pub(super) async fn exists(line: &Line, queue: &str) -> Result<bool, Lost> {
    let passive = QueueDeclareOptions { passive: true, ..durable() };
    let channel = line.channel().await?; // of its own: the answer no costs it
    match line.answer("queue.declare", channel.queue_declare(queue.into(), passive, FieldTable::default())).await? {
        Ok(_) => Ok(true),
        Err(error) if refused_with(&error, 404) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// All a subscription needs, on a connection that has the exchange.
pub(super) async fn declare(line: &Line, exchange: &str, subscription: &Subscription) -> Result<(), Lost> {
    let queue = subscription.queue;
    declare_dead(line, &dead(queue)).await?; // first: a queue must not give up on a message that then has no place
    let channel = line.channel().await?;
    let declared = channel.queue_declare(queue.into(), durable(), arguments(queue));
    line.call("queue.declare", declared).await.map_err(|lost| explain(lost, queue))?;
    bind(line, &channel, exchange, subscription).await
}

/// Binds the queue to what it reads.
pub(super) async fn bind(
    line: &Line,
    channel: &Channel,
    exchange: &str,
    subscription: &Subscription,
) -> Result<(), Lost> {
    for name in subscription.names {
        let (queue, options) = (subscription.queue.into(), QueueBindOptions::default());
        let bound = channel.queue_bind(queue, exchange.into(), (*name).into(), options, FieldTable::default());
        line.call("queue.bind", bound).await?;
    }
    Ok(())
}

/// How many dead letters there are; fails where the queue is not there.
pub(super) async fn count_dead(line: &Line, channel: &Channel, queue: &str) -> Result<u64, Lost> {
    let options = QueueDeclareOptions { passive: true, ..durable() };
    let counted = channel.queue_declare(dead(queue).into(), options, FieldTable::default());
    Ok(line.call("queue.declare", counted).await?.message_count().into())
}

/// The dead letters have no limit of deliveries, since looking at them is one, too. RabbitMQ 3 has none unless it is given;
/// RabbitMQ 4 has one of 20 unless another is given. -1 means none only there: 3.10 takes it, and drops a message at the
/// first look. The highest number means none on both. One that is there already is taken as it is.
async fn declare_dead(line: &Line, name: &str) -> Result<(), Lost> {
    if exists(line, name).await? {
        return Ok(());
    }
    let mut arguments = quorum();
    arguments.insert("x-delivery-limit".into(), AMQPValue::LongInt(i32::MAX));
    let channel = line.channel().await?;
    line.call("queue.declare", channel.queue_declare(name.into(), durable(), arguments)).await.map(drop)
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
    arguments.insert("x-dead-letter-routing-key".into(), text(&dead(queue)));
    arguments.insert("x-dead-letter-strategy".into(), text("at-least-once"));
    arguments.insert("x-overflow".into(), text("reject-publish")); // what at-least-once asks for
    arguments
}

fn text(text: &str) -> AMQPValue {
    AMQPValue::LongString(text.into())
}

fn explain(lost: Lost, queue: &str) -> Lost {
    if lost.reason != Reason::Arguments {
        return lost;
    }
    let text = format!(
        "the queue {queue:?} is there with other arguments than this version needs, and arguments cannot be changed: let \
         its messages be read by the version that made it, or move them away, then delete it (rabbitmqctl delete_queue \
         {queue}); this service declares it again by itself. {}",
        lost.text
    );
    Lost::new(Reason::Arguments, text)
}
