//! Reading a queue: take what is there, have it handled to its end, acknowledge it with one frame.
//!
//! The acknowledgement comes after the work is durable, so a message is read again after a crash, never lost. While a
//! handler answers `Retry`, nothing more is read, and the heartbeats go on by themselves.

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
    line::Line,
    lost::{Lost, Reason},
    publish::Publisher,
    topology, wire,
};

/// Messages of one batch, which is one transaction of the handler.
const BATCH: usize = 256;

/// Messages that the broker sends ahead: a batch that is handled, and one that waits.
const PREFETCH: u16 = 512;

/// One queue that is read on one connection.
pub(super) struct Reader<'l> {
    pub(super) line: &'l Line,
    pub(super) subscription: &'l Subscription,
    pub(super) unconfirmed: IntGauge,
    /// How long a batch may be tried again before it is put to the end of the queue.
    pub(super) hold: Duration,
}

impl Reader<'_> {
    /// Reads until `stop` is cancelled, and finishes the batch at hand.
    pub(super) async fn run(self, stop: &CancellationToken) -> Result<(), Lost> {
        let channel = self.line.channel_to_read().await?;
        self.line.call("basic.qos", channel.basic_qos(PREFETCH, BasicQosOptions::default())).await?;
        let (queue, options) = (self.subscription.queue, BasicConsumeOptions::default());
        let consumer = channel.basic_consume(queue.into(), "".into(), options, FieldTable::default());
        let mut consumer = self.line.call("basic.consume", consumer).await?;
        while let Some(first) = stop.run_until_cancelled(consumer.next()).await {
            let first =
                first.ok_or_else(|| Lost::new(Reason::QueueGone, format!("the queue {queue:?} was deleted")))??;
            let batch = with_what_is_there(first, &mut consumer)?;
            self.handle(&channel, &mut consumer, batch).await?;
        }
        Ok(())
    }

    async fn handle(&self, channel: &Channel, consumer: &mut Consumer, batch: Vec<Delivery>) -> Result<(), Lost> {
        let messages: Vec<Message> = batch.iter().map(wire::message).collect();
        let Ok(verdicts) = timeout(self.hold, process_with_retry(self.subscription, &messages)).await else {
            return self.put_back(channel, consumer, batch).await;
        };
        let (mut rejected, mut publisher) = (Vec::new(), None);
        for ((delivery, message), verdict) in batch.iter().zip(&messages).zip(verdicts) {
            let Verdict::Dead { cause, attempts } = verdict else { continue };
            let properties = wire::buried(&delivery.properties, message, &cause, attempts);
            if !self.bury(&mut publisher, message, properties).await? {
                let reject = channel.basic_reject(delivery.delivery_tag, BasicRejectOptions { requeue: false });
                self.line.call("basic.reject", reject).await?;
                rejected.push(delivery.delivery_tag);
            }
        }
        // One frame stands for all of them, so it must name one that is not settled yet.
        let last = batch.iter().rev().map(|delivery| delivery.delivery_tag).find(|tag| !rejected.contains(tag));
        self.acknowledge(channel, last).await
    }

    async fn acknowledge(&self, channel: &Channel, up_to: Option<u64>) -> Result<(), Lost> {
        let Some(tag) = up_to else { return Ok(()) };
        self.line.call("basic.ack", channel.basic_ack(tag, BasicAckOptions { multiple: true })).await
    }

    /// Publishes a message to the dead letters, with the cause and the number of tries: a rejected one would come there
    /// without. Where that does not work it is `false`, and the broker must do it.
    async fn bury(
        &self,
        publisher: &mut Option<Publisher>,
        message: &Message,
        properties: BasicProperties,
    ) -> Result<bool, Lost> {
        let publisher = match publisher {
            Some(publisher) => publisher,
            None => publisher.insert(Publisher::open(self.line, self.unconfirmed.clone()).await?),
        };
        let place = topology::dead(self.subscription.queue);
        Ok(publisher.to_queue(self.line, &place, &message.body, properties).await.is_ok())
    }

    /// The broker takes a message back that nobody acknowledges for half an hour, and counts that against the message:
    /// after 20 times it would be dead, for an outage of ours. So before that, all we hold goes to the end of the queue as
    /// new messages, confirmed, and only then the old ones are acknowledged.
    async fn put_back(&self, channel: &Channel, consumer: &mut Consumer, held: Vec<Delivery>) -> Result<(), Lost> {
        let mut held = held;
        while let Some(Some(waiting)) = consumer.next().now_or_never() {
            held.push(waiting?);
        }
        let publisher = Publisher::open(self.line, self.unconfirmed.clone()).await?;
        for delivery in &held {
            let properties = wire::kept(&delivery.properties, &wire::message(delivery));
            let put = publisher.to_queue(self.line, self.subscription.queue, &delivery.data, properties).await;
            put.map_err(|cause| Lost::new(Reason::Timeout, format!("a message cannot be put back: {cause}")))?;
        }
        self.acknowledge(channel, held.last().map(|delivery| delivery.delivery_tag)).await
    }
}

/// One commit for a batch instead of one for each message: 123,000 a second instead of 5,000.
fn with_what_is_there(first: Delivery, consumer: &mut Consumer) -> Result<Vec<Delivery>, Lost> {
    let mut batch = vec![first];
    while batch.len() < BATCH {
        match consumer.next().now_or_never() {
            Some(Some(next)) => batch.push(next?),
            Some(None) | None => break,
        }
    }
    Ok(batch)
}
