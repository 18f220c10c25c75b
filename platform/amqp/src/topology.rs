//! The topology at the broker: the exchange, the service's queue, its dead letter queue, and the bindings.
//!
//! It is declared on every connection, and checked while that is open: a deleted queue or exchange is back within seconds. The
//! arguments of the queue are wire format. The broker refuses (406) a declaration with other arguments: two versions would
//! disagree about what happens to a message. The service then reads nothing from the queue, and retries;
//! so it does where a right on the queue is missing. A user who may not
//! declare (`configure`) needs only that exchange and queues are there; whether they are the right ones, RabbitMQ does not tell it.
//! Read next: `wire.rs`.

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

/// Declares the exchange that all messages are published to, or only looks whether it is there, if `passive`.
pub(super) async fn exchange(channel: &Channel, name: &str, passive: bool) -> Result<(), Disconnect> {
    let options = ExchangeDeclareOptions { passive, durable: true, ..ExchangeDeclareOptions::default() };
    let declared = channel.exchange_declare(name.into(), ExchangeKind::Topic, options, FieldTable::default());
    channel.connection.call("exchange.declare", declared).await
}

/// Declares a queue, or only looks at it if `passive`.
async fn queue(channel: &Channel, name: &str, passive: bool, arguments: FieldTable) -> Result<Queue, Disconnect> {
    let options = QueueDeclareOptions { passive, durable: true, ..QueueDeclareOptions::default() };
    channel.connection.call("queue.declare", channel.queue_declare(name.into(), options, arguments)).await
}

/// What must be there.
enum Part<'n> {
    Exchange(&'n str),
    /// With its arguments.
    Queue(&'n str, FieldTable),
}

impl Part<'_> {
    /// On a channel of its own: a refusal closes it.
    async fn declare(&self, connection: &Arc<Connection>, passive: bool) -> Result<(), Disconnect> {
        let channel = connection.channel().await?;
        match self {
            Self::Exchange(name) => exchange(&channel, name, passive).await,
            Self::Queue(name, arguments) => queue(&channel, name, passive, arguments.clone()).await.map(drop),
        }
    }

    async fn exists(&self, connection: &Arc<Connection>) -> Result<bool, Disconnect> {
        match self.declare(connection, true).await {
            Ok(()) => Ok(true),
            Err(disconnect) if disconnect.reason == Reason::QueueGone => Ok(false),
            Err(disconnect) => Err(disconnect),
        }
    }

    /// Declares it. Answers whether this user may: if not, it must be there.
    async fn ensure(&self, connection: &Arc<Connection>) -> Result<bool, Disconnect> {
        match self.declare(connection, false).await {
            Ok(()) => Ok(true),
            Err(disconnect) if disconnect.reason == Reason::Permission && self.exists(connection).await? => Ok(false),
            Err(disconnect) => Err(self.explain(disconnect)),
        }
    }

    fn explain(&self, disconnect: Disconnect) -> Disconnect {
        let advice = match (disconnect.reason, self) {
            (Reason::Arguments, Self::Exchange(name)) => format!(
                "the exchange {name:?} is there, but not as this version needs it (topic, durable), and that cannot be \
                 changed: have those who use it stop, then delete it (on RabbitMQ's management page, or rabbitmqadmin \
                 delete exchange name={name}); this service declares it again by itself"
            ),
            (Reason::Arguments, Self::Queue(name, _)) => format!(
                "the queue {name:?} is there with other arguments than this version needs, and arguments cannot be \
                 changed: let its messages be read by the version that made it, or move them away, then delete it \
                 (rabbitmqctl delete_queue {name}); this service declares it again by itself"
            ),
            (Reason::Permission, Self::Exchange(name) | Self::Queue(name, _)) => format!(
                "{name:?} is not there, and this user may not declare it: give it the permission (rabbitmqctl \
                 set_permissions), or let another user declare it"
            ),
            _ => return disconnect,
        };
        Disconnect::new(disconnect.reason, format!("{advice}. {}", disconnect.text))
    }
}

/// Declares the exchange. Answers whether this user may: if not, it is there.
pub(super) async fn declare_exchange(connection: &Arc<Connection>, name: &str) -> Result<bool, Disconnect> {
    Part::Exchange(name).ensure(connection).await
}

pub(super) async fn exists(connection: &Arc<Connection>, queue: &str) -> Result<bool, Disconnect> {
    Part::Queue(queue, FieldTable::default()).exists(connection).await
}

/// Declares the queue that a subscription needs. The exchange and the dead letter queue must exist.
pub(super) async fn declare(
    connection: &Arc<Connection>,
    exchange: &str,
    subscription: &Subscription,
) -> Result<(), Disconnect> {
    let name = subscription.queue;
    Part::Queue(name, arguments(name)).ensure(connection).await?;
    bind(&connection.channel().await?, exchange, subscription).await
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

/// Declares the dead letter queue of a queue, before that: a queue must not give up on a message before its dead letter queue
/// exists. It has no delivery limit, since listing it is a delivery. RabbitMQ 3 has no limit by default;
/// RabbitMQ 4 has 20 (<https://github.com/rabbitmq/rabbitmq-server/pull/11937>), and -1 means none only there: 3.10 drops the
/// message at its first delivery. The highest number means none on both; it can be -1 when RabbitMQ 3 is no longer supported. A
/// queue that exists is left as it is.
pub(super) async fn declare_dead(connection: &Arc<Connection>, queue: &str) -> Result<(), Disconnect> {
    let name = wire::dead_letter_queue(queue);
    let dead = Part::Queue(&name, quorum(i32::MAX));
    if !dead.exists(connection).await? {
        dead.ensure(connection).await?;
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
