//! Reads a queue: takes a batch, has it processed, acknowledges it with one frame.
//!
//! The acknowledgement comes after the work is durable, so a message is delivered at least once. While a handler answers
//! `Retry`, nothing more is read; lapin's thread still sends heartbeats. Read next: `dead_letters.rs`.

use std::time::Duration;

use futures_util::{FutureExt, StreamExt};
use lapin::{
    BasicProperties, Channel, Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use messaging::{
    Message, Subscription,
    process_with_retry::{Verdict, process_with_retry},
};
use prometheus::IntGauge;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::{
    connection::Connection,
    disconnect::{Disconnect, Reason},
    publish::Publisher,
    topology, wire,
};

/// The most messages of one batch, which is one transaction of the handler.
const BATCH_MAX: usize = 256;

/// Messages that the broker sends before they are acknowledged: one batch that is handled, and one that waits.
const PREFETCH: u16 = 512;

/// A consumer of one queue on one connection.
pub(super) struct Reader<'l> {
    pub(super) connection: &'l Connection,
    pub(super) subscription: &'l Subscription,
    pub(super) unconfirmed: IntGauge,
    /// How long a batch is retried in place before it goes to the end of the queue.
    pub(super) retry_max: Duration,
}

impl Reader<'_> {
    /// Reads until `stop` is cancelled, and finishes the current batch.
    pub(super) async fn run(self, stop: &CancellationToken) -> Result<(), Disconnect> {
        let channel = self.connection.channel_to_read().await?;
        self.connection.call("basic.qos", channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
        let (queue, options) = (self.subscription.queue, BasicConsumeOptions::default());
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let mut consumer = self.connection.call("basic.consume", consumer).await?;
        while let Some(first) = stop.run_until_cancelled(consumer.next()).await {
            let first = first
                .ok_or_else(|| Disconnect::new(Reason::QueueGone, format!("the queue {queue:?} was deleted")))??;
            let batch = batch_with(first, &mut consumer)?;
            self.handle(&channel, &mut consumer, batch).await?;
        }
        Ok(())
    }

    async fn handle(&self, channel: &Channel, consumer: &mut Consumer, batch: Vec<Delivery>) -> Result<(), Disconnect> {
        let messages: Vec<Message> = batch.iter().map(wire::message).collect();
        let Ok(verdicts) = timeout(self.retry_max, process_with_retry(self.subscription, &messages)).await else {
            return self.requeue_at_end(channel, consumer, batch).await;
        };
        let (mut rejected, mut publisher) = (Vec::new(), None);
        for ((delivery, message), verdict) in batch.iter().zip(&messages).zip(verdicts) {
            let Verdict::Dead { cause, attempts } = verdict else { continue };
            let properties = wire::dead_letter(&delivery.properties, message, &cause, attempts);
            if !self.dead_letter(&mut publisher, message, properties).await? {
                let reject = channel.basic_reject(delivery.delivery_tag, BasicRejectOptions { requeue: false });
                self.connection.call("basic.reject", reject).await?;
                rejected.push(delivery.delivery_tag);
            }
        }
        // One frame acknowledges all messages up to its tag, so the tag must be one that was not rejected.
        let last = batch.iter().rev().map(|delivery| delivery.delivery_tag).find(|tag| !rejected.contains(tag));
        self.acknowledge(channel, last).await
    }

    async fn acknowledge(&self, channel: &Channel, up_to: Option<u64>) -> Result<(), Disconnect> {
        let Some(tag) = up_to else { return Ok(()) };
        self.connection.call("basic.ack", channel.basic_ack(tag, BasicAckOptions { multiple: true })).await
    }

    /// Publishes a message to the dead letters, with its cause and the number of attempts. If that fails it is `false`, and the
    /// caller rejects the message: the broker then moves it there, without the cause.
    async fn dead_letter(
        &self,
        publisher: &mut Option<Publisher>,
        message: &Message,
        properties: BasicProperties,
    ) -> Result<bool, Disconnect> {
        let publisher = match publisher {
            Some(publisher) => publisher,
            None => publisher.insert(Publisher::open(self.connection, self.unconfirmed.clone()).await?),
        };
        let place = topology::dead_letter_queue(self.subscription.queue);
        Ok(publisher.to_queue(self.connection, &place, &message.body, properties).await.is_ok())
    }

    /// Publishes all unacknowledged messages to the end of the queue again, waits for the confirms, and then acknowledges the
    /// old ones. Otherwise the broker would redeliver them after half an hour, and count that towards their delivery limit: an
    /// outage of the store would make dead letters of good messages.
    async fn requeue_at_end(
        &self,
        channel: &Channel,
        consumer: &mut Consumer,
        mut unacknowledged: Vec<Delivery>,
    ) -> Result<(), Disconnect> {
        while let Some(Some(waiting)) = consumer.next().now_or_never() {
            unacknowledged.push(waiting?);
        }
        let publisher = Publisher::open(self.connection, self.unconfirmed.clone()).await?;
        for delivery in &unacknowledged {
            let properties = wire::forwarded(&delivery.properties, &wire::message(delivery));
            let put = publisher.to_queue(self.connection, self.subscription.queue, &delivery.data, properties).await;
            put.map_err(|cause| Disconnect::new(Reason::Timeout, format!("a message cannot be put back: {cause}")))?;
        }
        self.acknowledge(channel, unacknowledged.last().map(|delivery| delivery.delivery_tag)).await
    }
}

/// The first message and those that have arrived already. One commit for a batch handles 123,000 messages a second, one for
/// each message 5,000.
fn batch_with(first: Delivery, consumer: &mut Consumer) -> Result<Vec<Delivery>, Disconnect> {
    let mut batch = vec![first];
    while batch.len() < BATCH_MAX {
        match consumer.next().now_or_never() {
            Some(Some(next)) => batch.push(next?),
            Some(None) | None => break,
        }
    }
    Ok(batch)
}
