//! The dead letters at the broker: the queue `<queue>.dead` beside each queue that is read.
//!
//! Looking takes the messages and gives them back; a broker has no other way. Meanwhile they are in nobody's count, so
//! the gauge keeps the last one, and two who look at once see each message only once.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lapin::{
    Channel,
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
    types::AMQPValue,
};
use messaging::{DeadLetter, DeadLetters, outbox::OutboxError};
use tokio::{sync::Mutex, time::timeout};
use uuid::Uuid;

use super::{
    line::Line,
    lost::Lost,
    publish::Publisher,
    shared::Shared,
    topology::{self, DELIVERY_LIMIT},
    wire,
};

/// As many as are shown. A redrive of all takes all.
const LIST_MAX: u64 = 1000;

/// The longest time of one redrive, since a client waits for the answer. What is redriven by then stays redriven.
const REDRIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// What is given back is there again after a few milliseconds.
const BACK_TRIES: u32 = 100;
const BACK_PAUSE: Duration = Duration::from_millis(10);

/// The dead letters of the queues that this process reads.
pub(super) struct AmqpDeadLetters {
    pub(super) shared: Arc<Shared>,
    /// One at a time: the second would see nothing of what the first has taken.
    pub(super) turn: Mutex<()>,
}

#[async_trait]
impl DeadLetters for AmqpDeadLetters {
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError> {
        let _turn = self.turn.lock().await;
        let line = self.line().await?;
        tokio::select! {
            biased;
            alarm = self.shared.alarm() => Err(OutboxError(alarm)),
            letters = self.look(&line) => letters,
        }
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError> {
        if self.shared.line.borrow().is_none() {
            return Err(self.away()); // it is unknown, and what is shown stays as it was
        }
        Ok(self.shared.dead_counts())
    }

    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError> {
        let _turn = self.turn.lock().await;
        let line = self.line().await?;
        let mut redriven = 0;
        // A message that was on its way when the alarm came may arrive, and is among the dead letters as well: at least once.
        let failed = tokio::select! {
            biased;
            alarm = self.shared.alarm() => vec![alarm],
            failed = self.redrive_queues(&line, id, &mut redriven) => failed,
        };
        // Where the one that was asked for is found, another queue's trouble is nobody's concern.
        if failed.is_empty() || (id.is_some() && redriven > 0) {
            return Ok(redriven);
        }
        Err(OutboxError(format!("{redriven} went to their queue; {}", failed.join("; "))))
    }
}

impl AmqpDeadLetters {
    async fn line(&self) -> Result<Arc<Line>, OutboxError> {
        self.shared.line_soon().await.ok_or_else(|| self.away())
    }

    fn away(&self) -> OutboxError {
        OutboxError(self.shared.state().err().unwrap_or_else(|| "the broker is away".into()))
    }

    async fn look(&self, line: &Line) -> Result<Vec<DeadLetter>, OutboxError> {
        let mut letters = Vec::new();
        for queue in self.shared.queues() {
            let channel = line.channel().await?;
            let taken = take(line, &channel, queue, LIST_MAX).await?;
            letters.extend(taken.iter().map(|delivery| letter(queue, delivery)));
            give_back(line, &channel, &taken).await?;
            self.wait_for(line, queue, taken.len() as u64).await?;
        }
        letters.sort_by_key(|letter| letter.occurred_at);
        Ok(letters)
    }

    /// Redrives all queues, and tells what failed with each.
    async fn redrive_queues(&self, line: &Line, id: Option<Uuid>, redriven: &mut u64) -> Vec<String> {
        let mut failed = Vec::new();
        for queue in self.shared.queues() {
            match timeout(REDRIVE_TIMEOUT, self.redrive_queue(line, queue, id, redriven)).await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => failed.push(format!("{queue}: {cause}")),
                Err(_) => failed.push(format!("{queue}: the broker is too slow")),
            }
        }
        failed
    }

    /// Counts, until what was given back is there again: the broker does not answer to a `basic.nack`.
    async fn wait_for(&self, line: &Line, queue: &'static str, letters: u64) -> Result<(), Lost> {
        let channel = line.channel().await?;
        for _ in 0..BACK_TRIES {
            let count = topology::count_dead(line, &channel, queue).await?;
            self.shared.set_dead_count(queue, count);
            if count >= letters {
                break; // or another process took some
            }
            tokio::time::sleep(BACK_PAUSE).await;
        }
        Ok(())
    }

    /// Takes one after the other, publishes it to its queue by that name, and acknowledges it only after the confirm.
    /// Those that die again meanwhile are not taken again: it takes no more than there are at the beginning.
    async fn redrive_queue(
        &self,
        line: &Line,
        queue: &'static str,
        id: Option<Uuid>,
        redriven: &mut u64,
    ) -> Result<(), OutboxError> {
        let channel = line.channel().await?;
        let publisher = Publisher::open(line, self.shared.metrics.unconfirmed.clone()).await?;
        let there = topology::count_dead(line, &channel, queue).await?;
        let mut others = Vec::new();
        for _ in 0..there {
            let Some(delivery) = take(line, &channel, queue, 1).await?.pop() else { break };
            let message = wire::message(&delivery);
            if id.is_some_and(|id| id != message.id) {
                others.push(delivery);
                continue;
            }
            let properties = wire::redriven(&delivery.properties, &message);
            let published = publisher.to_queue(line, queue, &delivery.data, properties).await;
            published.map_err(|cause| OutboxError(cause.to_string()))?;
            let ack = channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default());
            line.call("basic.ack", ack).await?;
            *redriven += 1;
        }
        give_back(line, &channel, &others).await?;
        self.wait_for(line, queue, others.len() as u64).await?;
        Ok(())
    }
}

/// Takes up to `max` dead letters. They come back by themselves when the channel ends, whatever ends it.
async fn take(line: &Line, channel: &Channel, queue: &str, max: u64) -> Result<Vec<Delivery>, Lost> {
    let mut taken = Vec::new();
    for _ in 0..max {
        let get = channel.basic_get(topology::dead(queue).into(), BasicGetOptions { no_ack: false });
        let Some(message) = line.call("basic.get", get).await? else { break };
        taken.push(message.delivery);
    }
    Ok(taken)
}

async fn give_back(line: &Line, channel: &Channel, taken: &[Delivery]) -> Result<(), Lost> {
    let Some(last) = taken.last() else { return Ok(()) };
    let options = BasicNackOptions { multiple: true, requeue: true };
    line.call("basic.nack", channel.basic_nack(last.delivery_tag, options)).await
}

fn letter(queue: &str, delivery: &Delivery) -> DeadLetter {
    let message = wire::message(delivery);
    let attempts = wire::header(&delivery.properties, wire::DEAD_ATTEMPTS).and_then(AMQPValue::as_long_uint);
    DeadLetter {
        id: message.id,
        queue: queue.to_owned(),
        message: message.name,
        cause: wire::text(&delivery.properties, wire::DEAD_CAUSE).unwrap_or_else(|| brokers_cause(delivery)),
        attempts: attempts.unwrap_or_else(|| brokers_attempts(delivery)),
        occurred_at: message.occurred_at,
        body: String::from_utf8_lossy(&message.body).into_owned(),
    }
}

/// Why the broker gave up on the message itself.
fn brokers_reason(delivery: &Delivery) -> Option<String> {
    wire::brokers_note(delivery)?.inner().get("reason")?.as_long_string().map(ToString::to_string)
}

fn brokers_cause(delivery: &Delivery) -> String {
    match brokers_reason(delivery).as_deref() {
        Some("delivery_limit") => {
            format!("it was delivered {DELIVERY_LIMIT} times without an end: it may kill its reader")
        }
        Some("rejected") => "a reader rejected it; the reader's log says why".into(),
        Some(other) => format!("the broker gave up on it: {other}"),
        None => "nobody noted why".into(),
    }
}

/// The count that comes with a delivery is of no use: among the dead letters it counts how often somebody looked.
fn brokers_attempts(delivery: &Delivery) -> u32 {
    match brokers_reason(delivery).as_deref() {
        Some("delivery_limit") => DELIVERY_LIMIT.unsigned_abs(),
        Some(_) => 1, // at least
        None => 0,
    }
}

impl From<Lost> for OutboxError {
    fn from(lost: Lost) -> Self {
        Self(lost.text)
    }
}
