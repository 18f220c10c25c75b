//! Messages that are made of documents when they are due, and are not stored as entries: `MongoOutbox` asks for them beside its
//! own entries, so that no second outbox stands around it.

use async_trait::async_trait;
use messaging::{Entry, outbox::Backlog};
use uuid::Uuid;

use crate::error::MongoError;

/// A source of further entries.
#[async_trait]
pub trait EntrySource: Send + Sync {
    /// At most `max` entries that are due. The leader also gets those that other processes left.
    async fn pending(&self, max: usize, is_leader: bool) -> Result<Vec<Entry>, MongoError>;

    /// An entry that was given out and is not marked as published; `None` for an id of others.
    fn unconfirmed(&self, id: Uuid) -> Option<Entry>;

    /// They were confirmed, or became dead letters. Ignores the ids of others.
    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), MongoError>;

    /// How many wait, as last counted.
    fn backlog(&self) -> Backlog;
}
