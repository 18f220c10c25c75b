//! What every bus promises: at least once, in no order. Published means that the message will be handled, whatever process dies
//! next.
//!
//! `in_process.rs` is the bus within one process; the crate `amqp` is the bus of services that run apart.

use std::sync::Arc;

use async_trait::async_trait;
use process::health::Probe;

use crate::{dead_letters::DeadLetters, handler::Handler, message::Entry, metrics};

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
