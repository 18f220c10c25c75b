//! Publishing with publisher confirms: up to 64 messages in flight, one result for each.
//!
//! If a confirm does not come, only the channel is replaced. The connection stays open, so messages that are being handled
//! are not delivered again. Read next: `consume.rs`.

use std::{
    collections::HashSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::{StreamExt, stream};
use lapin::{
    BasicProperties,
    options::{BasicPublishOptions, ConfirmSelectOptions},
};
use messaging::{Entry, PublishError, Published};
use metrics::Gauge;
use tokio::time::timeout;

use super::{
    connection::{Channel, Connection},
    disconnect::{Disconnect, Reason},
    wire,
};

/// The most messages in flight (published and not confirmed). More would only wait in the broker.
const IN_FLIGHT_MAX: usize = 64;

/// From publishing a message to its confirm. A quorum queue that elects a leader confirms late.
const CONFIRM_TIMEOUT: Duration = Duration::from_secs(5);

/// A channel on which every message is confirmed.
pub(super) struct Publisher {
    channel: Channel,
    unconfirmed: Gauge,
    /// Set when a confirm did not come. Later messages on this channel would not be confirmed either.
    stuck: AtomicBool,
}

/// The result of one message, and the id of the returned message that came with its confirm.
type Answer = (Published, Option<String>);

impl Publisher {
    pub(super) async fn open(connection: &Arc<Connection>, unconfirmed: &Gauge) -> Result<Self, Disconnect> {
        let channel = connection.channel().await?;
        connection.call("confirm.select", channel.confirm_select(ConfirmSelectOptions::default())).await?;
        Ok(Self { channel, unconfirmed: unconfirmed.clone(), stuck: AtomicBool::new(false) })
    }

    /// Whether it works, on this connection. Otherwise it must be replaced.
    pub(super) fn works_on(&self, connection: &Arc<Connection>) -> bool {
        let broken = self.stuck.load(Ordering::Relaxed) || !self.channel.status().connected();
        Arc::ptr_eq(&self.channel.connection, connection) && !broken
    }

    pub(super) async fn batch(&self, exchange: &str, batch: &[Entry]) -> Vec<Published> {
        let publish = async |Entry { message, mandatory }: &Entry| {
            self.one(exchange, &message.name, *mandatory, &message.body, wire::properties(message)).await
        };
        let publishing: Vec<_> = batch.iter().map(publish).collect();
        let answers: Vec<Answer> = stream::iter(publishing).buffered(IN_FLIGHT_MAX).collect().await;
        // AMQP's `basic.return` names no delivery (<https://github.com/rabbitmq/amqp091-go/issues/45> has the discussion), and
        // one confirm can cover several messages: lapin attaches a returned message to any of them. So its id decides. This
        // can go when lapin attaches it to the right one; no report was found in lapin's issues.
        let returned: HashSet<String> = answers.iter().filter_map(|(_, id)| id.clone()).collect();
        let result = |(entry, (result, _)): (&Entry, Answer)| match result {
            Ok(()) if returned.contains(&entry.message.id.to_string()) => Err(PublishError::Returned),
            result => result,
        };
        batch.iter().zip(answers).map(result).collect()
    }

    /// Publishes one message to a queue, by its name.
    pub(super) async fn to_queue(&self, queue: &str, body: &[u8], properties: BasicProperties) -> Published {
        match self.one("", queue, true, body, properties).await {
            (Ok(()), Some(_)) => Err(PublishError::Returned),
            (result, _) => result,
        }
    }

    async fn one(
        &self,
        exchange: &str,
        key: &str,
        mandatory: bool,
        body: &[u8],
        properties: BasicProperties,
    ) -> Answer {
        let failed = |text: &str| (Err(PublishError::Failed(text.to_owned())), None);
        if self.channel.connection.is_blocked() {
            return failed("the broker takes no messages: it has a memory or disk alarm");
        }
        if self.stuck.load(Ordering::Relaxed) {
            return failed("a message before it was not confirmed");
        }
        let Ok(key) = lapin::types::ShortString::try_new(key) else {
            return failed("its name is too long for AMQP");
        };
        self.unconfirmed.inc();
        let _in_flight = InFlight(&self.unconfirmed);
        let options = BasicPublishOptions { mandatory, ..BasicPublishOptions::default() };
        let published =
            async { self.channel.basic_publish(exchange.into(), key, options, body, properties).await?.await };
        match timeout(CONFIRM_TIMEOUT, published).await.map(|published| published.map_err(Disconnect::from)) {
            Err(_) => {
                self.stuck.store(true, Ordering::Relaxed);
                (Err(PublishError::Timeout), None)
            }
            Ok(Err(disconnect)) if disconnect.reason == Reason::QueueGone => failed("the exchange is not there"),
            Ok(Err(disconnect)) => failed(&disconnect.text),
            Ok(Ok(confirmation)) => {
                let result = if confirmation.is_ack() { Ok(()) } else { Err(PublishError::Nacked) };
                let returned = confirmation.take_message().map(|message| {
                    message.properties.message_id().as_ref().map(ToString::to_string).unwrap_or_default()
                });
                (result, returned)
            }
        }
    }
}

/// A message that is counted as in flight, until this is dropped.
struct InFlight<'g>(&'g Gauge);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.dec();
    }
}
