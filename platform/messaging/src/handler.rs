//! What a consumer answers for each message of a batch. Read next: `process_with_retry.rs`, which calls it.

use async_trait::async_trait;

use crate::message::Message;

/// Handles messages.
#[async_trait]
pub trait Handler: Send + Sync {
    /// Handles a batch in one transaction. One answer for each message, in order. `Done` only when the work is durable. Must be
    /// idempotent.
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome>;
}

/// The answer for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its work is durable, or there was none to do.
    Done(Effect),
    /// It cannot be handled now (the store is away, the disk is full). It is retried in place, without limit.
    Retry(String),
    /// It can never be handled. It goes to the dead letters.
    Reject(String),
}

/// What a handled message changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something.
    Applied,
    /// Nothing: it was handled before.
    Duplicate,
    /// Nothing: a newer message was handled before.
    Stale,
}
