//! The messages that a queue gave up on, wherever a bus keeps them: in `<queue>.dead` at a broker, or in the publisher's
//! outbox where the bus has no place of its own.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::outbox::OutboxError;

/// Lists dead letters, and sends them to their queue again.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// At most 1,000, oldest first.
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError>;

    /// How many there are, by queue.
    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError>;

    /// Sends one, or all, to the queue they came from. Answers how many.
    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError>;
}

/// A message that a queue gave up on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message's id.
    pub id: Uuid,
    /// Who gave up on it.
    pub queue: String,
    /// What kind of message it is.
    pub message: String,
    /// Why.
    pub cause: String,
    /// How often it was tried.
    pub attempts: u32,
    /// When it was written to the outbox.
    pub occurred_at: Timestamp,
    /// Its JSON, or what there was instead.
    pub body: String,
}
