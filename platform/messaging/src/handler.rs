//! What every consumer answers for each message of a batch.

use async_trait::async_trait;

use crate::message::Message;

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
    Retry(String),
    /// It can never be handled. It goes to the dead letters.
    Reject(String),
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
