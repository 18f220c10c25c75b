//! The transactional outbox: a message is committed in one write with the state that it describes, and published afterwards.
//!
//! The stores implement [`Outbox`]; [`relay`] publishes. Nothing else publishes, so every message describes a committed state,
//! and every committed state is published at least once. [`resync`] publishes the current
//! state again; `waiting` retries what came back. Read next: `relay.rs`.

pub mod relay;
pub mod resync;
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
    /// The oldest entries, at most `max`, without dead letters. An empty answer means that there are none; if the store cannot
    /// be read it is an error.
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError>;

    /// Deletes entries that were confirmed. Ids that are not there are no error.
    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError>;

    /// Moves an entry that `queue` gave up on to the dead letters.
    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError>;

    /// How many entries wait, for the metrics.
    async fn backlog(&self) -> Result<Backlog, OutboxError>;

    /// Stores a request to republish the current state. It survives a crash. See [`resync`].
    async fn request_resync(&self) -> Result<(), OutboxError>;

    /// Whether this process also relays the entries that other processes left. Of the processes that share an outbox, one is the
    /// leader.
    fn is_leader(&self) -> bool {
        true
    }
}

/// The entries that wait in an outbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Backlog {
    /// How many there are.
    pub pending: u64,
    /// When the oldest of them was written.
    pub oldest: Option<Timestamp>,
}

/// The result of one round of the relay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// Nothing could be published now.
    Idle,
    /// So many entries were confirmed.
    Published(usize),
    /// The bus cannot be reached.
    Away,
}
