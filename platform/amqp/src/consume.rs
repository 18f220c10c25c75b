//! Reads a queue: takes a batch, has it processed, acknowledges it with one frame.
//!
//! The acknowledgement comes after the work is durable, so a message is delivered at least once. While a handler answers
//! `Retry`, nothing more is read; lapin's thread still sends heartbeats. Read next: `dead_letters.rs`.

use std::sync::Arc;

use futures_util::{FutureExt, StreamExt, stream::ReadyChunks};
use lapin::{
    Consumer,
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use messaging::{
    Message, Subscription,
    process_with_retry::{Verdict, process_with_retry},
};
use tokio::time::timeout;

use super::{
    connection::{Channel, Connection},
    disconnect::{Disconnect, Reason},
    publish::Publisher,
    shared::Shared,
    wire,
};

/// The most messages of one batch, which is one transaction of the handler. One commit for a batch handles 123,000 messages a
/// second, one for each message 5,000.
const BATCH_MAX: usize = 256;

/// Messages that the broker sends before they are acknowledged: one batch that is handled, and one that waits.
const PREFETCH: u16 = 512;

/// A consumer of one queue on one connection.
pub(super) struct Reader<'l> {
    pub(super) shared: &'l Shared,
    pub(super) connection: &'l Arc<Connection>,
    pub(super) subscription: &'l Subscription,
}

impl Reader<'_> {
    /// Reads until the bus stops, and finishes the current batch.
    pub(super) async fn run(self) -> Result<(), Disconnect> {
        let channel = self.connection.channel_to_read().await?;
        self.connection.call("basic.qos", channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
        let (queue, options) = (self.subscription.queue, BasicConsumeOptions::default());
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        // A batch is the first message and those that have arrived already.
        let mut batches = self.connection.call("basic.consume", consumer).await?.ready_chunks(BATCH_MAX);
        self.shared.accepted(queue);
        while let Some(batch) = self.shared.stop.run_until_cancelled(batches.next()).await {
            let batch =
                batch.ok_or_else(|| Disconnect::new(Reason::QueueGone, format!("the queue {queue:?} was deleted")))?;
            self.handle(&channel, &mut batches, batch.into_iter().collect::<Result<_, _>>()?).await?;
        }
        Ok(())
    }

    async fn handle(
        &self,
        channel: &Channel,
        batches: &mut ReadyChunks<Consumer>,
        batch: Vec<Delivery>,
    ) -> Result<(), Disconnect> {
        let messages: Vec<Message> = batch.iter().map(wire::message).collect();
        let processing = process_with_retry(self.subscription, &messages);
        let Ok(verdicts) = timeout(self.shared.tuning.retry_max, processing).await else {
            return self.requeue_at_end(channel, batches, batch).await;
        };
        let (mut rejected, mut publisher) = (Vec::new(), None);
        let dead_letters = wire::dead_letter_queue(self.subscription.queue);
        for ((delivery, message), verdict) in batch.iter().zip(&messages).zip(verdicts) {
            let Verdict::Dead { cause, attempts } = verdict else { continue };
            let properties = wire::dead_letter(message, &cause, attempts);
            let to = match &publisher {
                Some(publisher) => publisher,
                None => &*publisher.insert(self.publisher().await?),
            };
            if to.to_queue(&dead_letters, &message.body, properties).await.is_err() {
                publisher = None; // its channel may be closed
                // The broker then moves the message there, without the cause.
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

    async fn publisher(&self) -> Result<Publisher, Disconnect> {
        Publisher::open(self.connection, &self.shared.metrics.unconfirmed).await
    }

    /// Publishes all unacknowledged messages to the end of the queue again, waits for the confirms, and then acknowledges the
    /// old ones. Otherwise the broker would redeliver them after half an hour, and count that towards their delivery limit: an
    /// outage of the store would make dead letters of good messages.
    async fn requeue_at_end(
        &self,
        channel: &Channel,
        batches: &mut ReadyChunks<Consumer>,
        mut unacknowledged: Vec<Delivery>,
    ) -> Result<(), Disconnect> {
        while let Some(Some(waiting)) = batches.next().now_or_never() {
            for delivery in waiting {
                unacknowledged.push(delivery?);
            }
        }
        let publisher = self.publisher().await?;
        for delivery in &unacknowledged {
            let properties = wire::properties(&wire::message(delivery));
            let put = publisher.to_queue(self.subscription.queue, &delivery.data, properties).await;
            put.map_err(|cause| Disconnect::new(Reason::Timeout, format!("a message cannot be put back: {cause}")))?;
        }
        self.acknowledge(channel, unacknowledged.last().map(|delivery| delivery.delivery_tag)).await
    }
}
