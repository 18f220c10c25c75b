//! The messages that a queue gave up on. A broker keeps them in `<queue>.dead`; a bus without a broker leaves them to the
//! publisher's outbox. `Bus::dead_letters` says which. Read next: `amqp/src/dead_letters.rs` or `sqlite/src/outbox.rs`.

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::outbox::OutboxError;

/// The most dead letters that are listed.
pub const LIST_MAX: usize = 1000;

/// Lists dead letters, and redrives them.
#[async_trait]
pub trait DeadLetters: Send + Sync {
    /// At most [`LIST_MAX`], oldest first.
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError>;

    /// How many there are, by queue.
    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError>;

    /// Redrives one, or all: sends them to the queue they came from. Answers how many.
    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError>;
}

/// A message that a queue gave up on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DeadLetter {
    /// The message's id.
    pub id: Uuid,
    /// The queue that gave up on it.
    pub queue: String,
    /// What kind of message it is.
    pub message: String,
    /// Why.
    pub cause: String,
    /// The number of attempts.
    pub attempts: u32,
    /// When it was written to the outbox.
    pub occurred_at: Timestamp,
    /// Its JSON, or what was in the message instead.
    pub body: String,
}
