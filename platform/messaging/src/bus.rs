//! The traits: what every bus promises, and what every consumer answers.
//!
//! A bus promises at-least-once delivery, in no order. A confirmed message will be handled, whichever process dies.
//!
//! `in_process.rs` is the bus within one process; the crate `amqp` is the bus of services that run apart.

use std::sync::Arc;

use async_trait::async_trait;
use process::health::Probe;
use trace::Stories;

use crate::{
    dead_letters::DeadLetters,
    message::{Entry, Message, Outcome, Published},
    metrics::ConsumeMetrics,
};

/// Delivers messages from publishers to subscribers.
#[async_trait]
pub trait Bus: Send + Sync {
    /// Publishes a batch and waits for the confirms. One result for each entry, in order. It is safe to repeat.
    async fn publish(&self, batch: &[Entry]) -> Vec<Published>;

    /// Calls `subscription.handler` with every message of the given names: from now on, or from where the queue stopped if it
    /// existed before.
    async fn subscribe(&self, subscription: Subscription);

    /// A few words for `/readyz`; `Err` if the bus cannot be reached.
    fn state(&self) -> Result<String, String>;

    /// The dead letters, if the bus keeps them. Otherwise the publisher's outbox keeps them.
    fn dead_letters(&self) -> Option<Arc<dyn DeadLetters>> {
        None
    }

    /// The queues whose dead letters a service keeps that publishes messages of these names: with a broker, its own queues;
    /// in one process, the queues that read its messages.
    fn dead_letter_queues(&self, published: &[&str]) -> Vec<&'static str>;

    /// Registers the metrics of the bus itself.
    fn register(&self, _: &metrics::Registry) -> metrics::Result<()> {
        Ok(())
    }

    /// Graceful shutdown: reads nothing more, finishes what is being handled, for a bounded time, and disconnects. Must come
    /// after the last [`Bus::publish`].
    async fn close(&self) {}
}

/// A check for `/readyz`: whether the other services can be reached.
pub fn probe(bus: Arc<dyn Bus>) -> Probe {
    Arc::new(move || {
        let state = bus.state();
        Box::pin(async move { state })
    })
}

/// Handles messages. Called by `process_with_retry.rs`.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles a batch in one transaction. One answer for each message, in order. `Done` only when the work is durable. Must be
    /// idempotent.
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome>;
}

/// A queue, the messages it is bound to, and their handler.
#[derive(Clone)]
pub struct Subscription {
    /// The queue, named after the service.
    pub queue: &'static str,
    /// The messages it is bound to.
    pub names: &'static [&'static str],
    /// The handler.
    pub handler: Arc<dyn Handler>,
    /// The metrics of this queue.
    pub metrics: ConsumeMetrics,
    /// Where it is told that a message was applied.
    pub stories: Stories,
    /// The request for a resync that is handled by the handler, and published, before a new queue is declared: a new queue holds
    /// nothing of what was published before.
    pub resync_request: Option<fn() -> Entry>,
}
