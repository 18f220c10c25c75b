//! Messages between services: what every bus promises, and what every consumer answers.
//!
//! - here: the seams, [`Bus`] and [`Handler`]
//! - [`settle`]: how a batch is handled until each message is done or dead, the same on every bus
//! - [`in_process`]: the bus of `myevents`, where both services are one process
//! - [`amqp`]: the bus of services that run apart
//! - [`metrics`]: what is counted
//!
//! **Promises.** At least once, in no order. Published means: it will be handled, whatever dies next.

pub mod amqp;
pub mod in_process;
pub mod metrics;
pub mod settle;

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use uuid::Uuid;

use crate::{health::Probe, outbox::DeadLetters};

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The outbox entry's id; the same in every try.
    pub id: Uuid,
    /// What kind of message it is: the routing key.
    pub name: String,
    /// JSON.
    pub body: Vec<u8>,
    /// When it was written to the outbox, in microseconds; unchanged by retries and redrives.
    pub occurred_at: Timestamp,
    /// The W3C trace it belongs to, if the caller sent one.
    pub traceparent: Option<String>,
    /// Whether it comes back from the dead letters. Its age then says nothing about delivery.
    pub redriven: bool,
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is published.
    pub message: Message,
    /// Whether there must be somebody to read it.
    pub mandatory: bool,
}

impl Entry {
    /// A new entry, with a fresh id, that occurs now.
    pub fn new(name: &str, mandatory: bool, body: Vec<u8>, traceparent: Option<String>) -> Self {
        let occurred_at = Timestamp::now();
        let message =
            Message { id: Uuid::now_v7(), name: name.to_owned(), body, occurred_at, traceparent, redriven: false };
        Self { message, mandatory }
    }
}

/// Why an entry was not published. It stays in the outbox, but for `Dead`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker would not take it.
    #[error("the broker refused it")]
    Nacked,
    /// Nobody is there to read it, though somebody must be.
    #[error("no queue takes it")]
    Returned,
    /// No confirm came in time; it may have arrived.
    #[error("no confirm came in time")]
    Timeout,
    /// The bus is away.
    #[error("{0}")]
    Failed(String),
    /// A subscriber will never take it. Only a bus without a broker says so: it has no other place for the message.
    #[error("{queue} will never take it: {cause}")]
    Dead {
        /// Who gave up on it.
        queue: String,
        /// Why.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
}

impl PublishError {
    /// Whether it is this message that failed, and not the way to the broker: others need not wait for it.
    pub fn is_about_the_message(&self) -> bool {
        match self {
            Self::Nacked | Self::Returned | Self::Dead { .. } => true,
            Self::Timeout | Self::Failed(_) => false,
        }
    }
}

/// What became of an entry; `Ok` means confirmed.
pub type Published = Result<(), PublishError>;

/// The way messages take.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes a batch and waits for the confirms. One answer per entry, in order; safe to repeat.
    async fn publish(&self, batch: &[Entry]) -> Vec<Published>;

    /// Has `subscription.handler` called with every message of the given names, from now on and, where the queue
    /// existed before, from where it stopped.
    async fn subscribe(&self, subscription: Subscription);

    /// A few words for `/readyz`; `Err` where the way is cut.
    fn state(&self) -> Result<String, String>;

    /// The dead letters, where the bus keeps them. Else the publisher's outbox does.
    fn dead_letters(&self) -> Option<Arc<dyn DeadLetters>> {
        None
    }

    /// Shows what is measured about the bus itself.
    fn register(&self, _: &prometheus::Registry) -> prometheus::Result<()> {
        Ok(())
    }

    /// Reads nothing more, finishes what is being handled, for a bounded time, and gives the way up. Comes after the
    /// last [`Bus::publish`].
    async fn close(&self) {}
}

/// A check for `/readyz`: how the way to the other services is.
pub fn probe(bus: Arc<dyn Bus>) -> Probe {
    Arc::new(move || {
        let state = bus.state();
        Box::pin(async move { state })
    })
}

/// Who reads what.
#[derive(Clone)]
pub struct Subscription {
    /// The queue, named after the service.
    pub queue: &'static str,
    /// The messages it is bound to.
    pub names: &'static [&'static str],
    /// Who handles them.
    pub handler: Arc<dyn Handler>,
    /// Where it is counted.
    pub metrics: metrics::ConsumeMetrics,
    /// Makes what is handled by the handler, and published, before the queue is made where it is not there: of what had
    /// been published nothing is in a new queue.
    pub when_new: Option<fn() -> Entry>,
}

/// Handles messages.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles a batch in one transaction. One answer per message, in order. `Done` only when the work is durable. Must
    /// take a message twice.
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome>;
}

/// What became of a message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its work is durable, or needs none.
    Done(Effect),
    /// It cannot be handled now (store away, disk full). It is tried again in place, without limit.
    Again(String),
    /// It can never be handled. It goes to the dead letters.
    Never(String),
}

/// What a message that is done has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something.
    Applied,
    /// Nothing: it had been handled before.
    Duplicate,
    /// Nothing: something newer had been handled before.
    Stale,
}
