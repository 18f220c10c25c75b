//! The transactional outbox: a message is committed together with the state it tells of, and published afterwards.
//!
//! The stores implement [`Outbox`]; [`relay`] publishes. Nothing else in MyEvents ever publishes, so nothing is told
//! that did not happen, and nothing that happened stays untold, whatever dies in between.

pub mod metrics;
pub mod relay;
pub mod resync;
mod told;
mod waiting;

use async_trait::async_trait;
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::messaging::Entry;

/// The outbox cannot be reached. The text is for the log and for operators, and names no secret.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{0}")]
pub struct OutboxError(pub String);

/// Committed messages that wait to be published.
#[async_trait]
pub trait Outbox: Send + Sync {
    /// The oldest entries, at most `max`, without the dead ones. None at all means that it was seen that there are none: where
    /// that cannot be seen, it is an error.
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError>;

    /// They were confirmed: forget them. Ids that are gone already are no error.
    async fn sent(&self, ids: &[Uuid]) -> Result<(), OutboxError>;

    /// `queue` will never take it: set it aside with the cause.
    async fn dead(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError>;

    /// How much waits, for the metrics.
    async fn backlog(&self) -> Result<Backlog, OutboxError>;

    /// Notes, to survive a crash, that everything is to be told again: see [`resync`].
    async fn request_resync(&self) -> Result<(), OutboxError>;

    /// Whether `pending` also gives what other processes left over. Of those that share an outbox only one does at a time.
    fn relays_left_overs(&self) -> bool {
        true
    }
}

/// How much waits in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// Entries that are neither published nor dead.
    pub pending: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
}

/// The messages that a queue gave up on, wherever a bus keeps them.
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
