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
use uuid::Uuid;

use crate::message::Entry;

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
    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError>;

    /// `queue` will never take it: set it aside with the cause.
    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError>;

    /// How much waits, for the metrics.
    async fn backlog(&self) -> Result<Backlog, OutboxError>;

    /// Notes, to survive a crash, that everything is to be told again: see [`resync`].
    async fn request_resync(&self) -> Result<(), OutboxError>;

    /// Whether `pending` also gives what other processes left over. Of those that share an outbox only one does at a time.
    fn is_leader(&self) -> bool {
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
