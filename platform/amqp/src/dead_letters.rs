//! The dead letters at the broker: the queue `<queue>.dead` beside each queue that is read.
//!
//! To list them, they are taken from the queue and returned to it: AMQP has no other way. Meanwhile the broker does not count
//! them, so the gauge keeps its last value. Read next: `topology.rs`.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lapin::{
    message::Delivery,
    options::{BasicAckOptions, BasicGetOptions, BasicNackOptions},
    types::AMQPValue,
};
use messaging::{DeadLetter, DeadLetters, Message, outbox::OutboxError};
use tokio::{sync::Mutex, time::timeout};
use uuid::Uuid;

use super::{
    connection::{Channel, Connection},
    disconnect::Disconnect,
    publish::Publisher,
    shared::Shared,
    topology::{self, DELIVERY_LIMIT},
    wire,
};

/// The most that are listed of one queue. A redrive has no such limit.
const LIST_MAX: usize = 1000;

/// For the redrive of one queue. What was redriven by then stays redriven.
const REDRIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// The most that are told of those that did not go.
const FAILED_MAX: usize = 20;

/// Returned messages are counted again after a few milliseconds.
const RETURN_CHECKS: u32 = 100;
const RETURN_CHECK_PAUSE: Duration = Duration::from_millis(10);

/// The dead letters of the queues that this process reads.
pub(super) struct AmqpDeadLetters {
    pub(super) shared: Arc<Shared>,
    /// One operation at a time: a second one would not see what the first has taken.
    pub(super) one_at_a_time: Mutex<()>,
}

#[async_trait]
impl DeadLetters for AmqpDeadLetters {
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let connection = self.connection().await?;
        tokio::select! {
            biased;
            alarm = self.shared.alarm() => Err(OutboxError(alarm)),
            letters = self.peek(&connection) => letters,
        }
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError> {
        if self.shared.connection.borrow().is_none() {
            return Err(self.away()); // the counts are unknown, and the gauge keeps its value
        }
        Ok(self.shared.dead_counts())
    }

    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError> {
        let _one_at_a_time = self.one_at_a_time.lock().await;
        let connection = self.connection().await?;
        let mut redriven = 0;
        // A message that was in flight when the alarm came may arrive, and is still a dead letter, too: at least once.
        let mut failed = tokio::select! {
            biased;
            alarm = self.shared.alarm() => vec![alarm],
            failed = self.redrive_queues(&connection, id, &mut redriven) => failed,
        };
        // If the one that was asked for was found, an error of another queue does not matter.
        if failed.is_empty() || (id.is_some() && redriven > 0) {
            return Ok(redriven);
        }
        let more = failed.len().saturating_sub(FAILED_MAX);
        failed.truncate(FAILED_MAX);
        if more > 0 {
            failed.push(format!("and {more} more"));
        }
        Err(OutboxError(format!("{redriven} went to their queue; {}", failed.join("; "))))
    }
}

impl AmqpDeadLetters {
    async fn connection(&self) -> Result<Arc<Connection>, OutboxError> {
        self.shared.wait_for_connection().await.ok_or_else(|| self.away())
    }

    fn away(&self) -> OutboxError {
        OutboxError(self.shared.state().err().unwrap_or_else(|| "the broker is away".into()))
    }

    async fn peek(&self, connection: &Arc<Connection>) -> Result<Vec<DeadLetter>, OutboxError> {
        let mut letters = Vec::new();
        for queue in self.shared.queues() {
            let channel = connection.channel().await?;
            let mut taken = Vec::new();
            while taken.len() < LIST_MAX
                && let Some(delivery) = take(&channel, queue).await?
            {
                letters.push(letter(queue, &delivery));
                taken.push(delivery);
            }
            self.put_back(&channel, queue, &taken).await?;
        }
        letters.sort_by_key(|letter| letter.occurred_at);
        Ok(letters)
    }

    /// Redrives all queues. Answers what failed.
    async fn redrive_queues(&self, connection: &Arc<Connection>, id: Option<Uuid>, redriven: &mut u64) -> Vec<String> {
        let mut failed = Vec::new();
        for queue in self.shared.queues() {
            match timeout(REDRIVE_TIMEOUT, self.redrive_queue(connection, queue, id, redriven, &mut failed)).await {
                Ok(Ok(())) => {}
                Ok(Err(cause)) => failed.push(format!("{queue}: {cause}")),
                Err(_) => failed.push(format!("{queue}: the broker is too slow")),
            }
        }
        failed
    }

    /// Returns dead letters to their queue, and waits until they are in it: the broker does not answer a `basic.nack`.
    async fn put_back(&self, taken_on: &Channel, queue: &'static str, taken: &[Delivery]) -> Result<(), Disconnect> {
        let connection = &taken_on.connection;
        if let Some(last) = taken.last() {
            let options = BasicNackOptions { multiple: true, requeue: true };
            connection.call("basic.nack", taken_on.basic_nack(last.delivery_tag, options)).await?;
        }
        let channel = connection.channel().await?;
        for _ in 0..RETURN_CHECKS {
            let count = topology::count_dead(&channel, queue).await?;
            self.shared.set_dead_count(queue, count);
            if count >= taken.len() as u64 {
                break; // or another process took some
            }
            tokio::time::sleep(RETURN_CHECK_PAUSE).await;
        }
        Ok(())
    }

    /// Takes one after the other, publishes it to its queue, and acknowledges it only after the confirm. It takes no more than
    /// there are at the beginning, so a message that becomes a dead letter again is not taken twice. One that the broker refuses
    /// stays, and is told of; the others go on.
    async fn redrive_queue(
        &self,
        connection: &Arc<Connection>,
        queue: &'static str,
        id: Option<Uuid>,
        redriven: &mut u64,
        failed: &mut Vec<String>,
    ) -> Result<(), Disconnect> {
        let channel = connection.channel().await?;
        let mut publisher = Publisher::open(connection, &self.shared.metrics.unconfirmed).await?;
        let there = topology::count_dead(&channel, queue).await?;
        let mut stay = Vec::new();
        for _ in 0..there {
            let Some(delivery) = take(&channel, queue).await? else { break };
            let message = Message { redriven: true, ..wire::message(&delivery) };
            if id.is_some_and(|id| id != message.id) {
                stay.push(delivery);
                continue;
            }
            if let Err(cause) = publisher.to_queue(queue, &message.body, wire::properties(&message)).await {
                failed.push(format!("{queue}: {}: {cause}", message.id));
                stay.push(delivery);
                if !publisher.works_on(connection) {
                    publisher = Publisher::open(connection, &self.shared.metrics.unconfirmed).await?;
                }
                continue;
            }
            let ack = channel.basic_ack(delivery.delivery_tag, BasicAckOptions::default());
            connection.call("basic.ack", ack).await?;
            *redriven += 1;
        }
        self.put_back(&channel, queue, &stay).await
    }
}

/// Takes a dead letter. The broker returns it to the queue when the channel ends.
async fn take(channel: &Channel, queue: &str) -> Result<Option<Delivery>, Disconnect> {
    let get = channel.basic_get(wire::dead_letter_queue(queue).into(), BasicGetOptions { no_ack: false });
    Ok(channel.connection.call("basic.get", get).await?.map(|message| message.delivery))
}

fn letter(queue: &str, delivery: &Delivery) -> DeadLetter {
    let message = wire::message(delivery);
    let attempts = wire::header(&delivery.properties, wire::DEAD_ATTEMPTS).and_then(AMQPValue::as_long_uint);
    let (brokers_cause, brokers_attempts) = brokers_verdict(delivery);
    DeadLetter {
        id: message.id,
        queue: queue.to_owned(),
        message: message.name,
        cause: wire::text(&delivery.properties, wire::DEAD_CAUSE).unwrap_or(brokers_cause),
        attempts: attempts.unwrap_or(brokers_attempts),
        occurred_at: message.occurred_at,
        body: String::from_utf8_lossy(&message.body).into_owned(),
    }
}

/// Why the broker gave up on the message itself, and after how many attempts. The delivery count in the message cannot be used:
/// in this queue it counts how often somebody listed it.
fn brokers_verdict(delivery: &Delivery) -> (String, u32) {
    let reason = || wire::brokers_note(delivery)?.inner().get("reason")?.as_long_string().map(ToString::to_string);
    match reason().as_deref() {
        Some("delivery_limit") => (
            format!("it was delivered {DELIVERY_LIMIT} times without an end: it may kill its reader"),
            DELIVERY_LIMIT.unsigned_abs(),
        ),
        Some("expired") => {
            ("nobody read it in time: it had a time to live, its own or by a policy of the queue".into(), 0)
        }
        Some("rejected") => ("a reader rejected it; the reader's log says why".into(), 1), // at least
        Some(other) => (format!("the broker gave up on it: {other}"), 1),
        None => ("nobody noted why".into(), 0),
    }
}

impl From<Disconnect> for OutboxError {
    fn from(disconnect: Disconnect) -> Self {
        Self(disconnect.text)
    }
}
