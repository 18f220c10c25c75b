//! The resync: republishes the current state after a queue was lost with the messages in it.
//!
//! A confirmed message has left the outbox. If its queue is then deleted, or the broker loses its disk, only the state that the
//! message described is left. So the reader of a new queue requests a resync. Each service stores the request as an entry of
//! its outbox ([`ResyncHandler`]). [`ResyncOutbox`], the one wrapper around an outbox, then makes messages of the state, a page at
//! a time, and deletes the request when the last one was confirmed. After a crash it begins again: readers are idempotent.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use paging::Cursor;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Backlog, Outbox, OutboxError};
use crate::{
    bus::Handler,
    message::{Effect, Entry, Message, Outcome},
};

/// The name of the entry that stands for a request. It is never published.
const REQUEST: &str = "resync";

/// The most messages that are made at once.
const PAGE_MAX: usize = 256;

/// The current state of a service, as messages.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// At most `max` messages behind `after`, each with its position in a fixed order.
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError>;
}

/// The outbox entry that stores a request for a resync.
pub fn request() -> Entry {
    Entry::new(REQUEST, false, b"{}".to_vec(), None)
}

/// An outbox that also gives out the messages of a resync while one is requested.
pub struct ResyncOutbox {
    outbox: Arc<dyn Outbox>,
    snapshot: Arc<dyn Snapshot>,
    progress: Mutex<Option<Progress>>,
}

/// How far a resync has come.
struct Progress {
    /// The requests that were there at its beginning. A later one begins a resync of its own.
    requests: Vec<Uuid>,
    after: Option<Cursor>,
    /// The messages that were given out and are not confirmed yet.
    unconfirmed: BTreeMap<Uuid, Entry>,
    made: usize,
}

impl ResyncOutbox {
    /// Wraps an outbox.
    pub fn new(outbox: Arc<dyn Outbox>, snapshot: Arc<dyn Snapshot>) -> Arc<Self> {
        Arc::new(Self { outbox, snapshot, progress: Mutex::default() })
    }
}

#[async_trait]
impl Outbox for ResyncOutbox {
    /// Gives messages of the snapshot in place of requests.
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        let mut entries = self.outbox.pending(max).await?;
        let requests: Vec<Uuid> =
            entries.extract_if(.., |entry| entry.message.name == REQUEST).map(|entry| entry.message.id).collect();
        let mut progress = self.progress.lock().await;
        if progress.is_none() && requests.is_empty() {
            return Ok(entries);
        }
        let resync =
            progress.get_or_insert_with(|| Progress { requests, after: None, unconfirmed: BTreeMap::new(), made: 0 });
        if resync.unconfirmed.is_empty() {
            let page = self.snapshot.page(resync.after, PAGE_MAX).await?;
            let Some((last, _)) = page.last() else {
                self.outbox.mark_published(&resync.requests).await?;
                tracing::info!(messages = resync.made, "the resync is complete");
                *progress = None;
                return Ok(entries);
            };
            resync.after = Some(*last);
            resync.made += page.len();
            resync.unconfirmed = page.into_iter().map(|(_, entry)| (entry.message.id, entry)).collect();
        }
        entries.extend(resync.unconfirmed.values().cloned());
        Ok(entries)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        if let Some(resync) = &mut *self.progress.lock().await {
            resync.unconfirmed.retain(|id, _| !ids.contains(id));
        }
        self.outbox.mark_published(ids).await // it ignores ids that are not its own
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        if let Some(resync) = &mut *self.progress.lock().await
            && resync.unconfirmed.remove(&id).is_some()
        {
            return Ok(()); // the state it describes is stored, and the rejection is in the log
        }
        self.outbox.dead_letter(id, queue, cause, attempts).await
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        self.outbox.backlog().await
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        self.outbox.request_resync().await
    }

    fn is_leader(&self) -> bool {
        self.outbox.is_leader()
    }
}

/// A handler that stores requests for a resync, and passes all other messages to the next handler.
pub struct ResyncHandler {
    name: String,
    outbox: Arc<dyn Outbox>,
    next: Arc<dyn Handler>,
}

impl ResyncHandler {
    /// `name` is that of the messages that request a resync.
    pub fn new(name: String, outbox: Arc<dyn Outbox>, next: Arc<dyn Handler>) -> Arc<Self> {
        Arc::new(Self { name, outbox, next })
    }
}

#[async_trait]
impl Handler for ResyncHandler {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let (requests, others): (Vec<_>, Vec<_>) = batch.iter().cloned().partition(|message| message.name == self.name);
        if requests.is_empty() {
            return self.next.handle(batch).await;
        }
        let stored = self.outbox.request_resync().await; // one for all of them
        let mut outcomes = self.next.handle(&others).await.into_iter();
        let outcome = |message: &Message| match &stored {
            _ if message.name != self.name => outcomes.next(),
            Ok(()) => Some(Outcome::Done(Effect::Applied)),
            Err(cause) => Some(Outcome::Retry(cause.to_string())),
        };
        batch.iter().filter_map(outcome).collect()
    }
}
