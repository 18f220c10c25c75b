//! Telling again how everything is, where a queue was lost with what waited in it.
//!
//! A confirmed message has left the outbox. If its queue is then deleted, or the broker loses its disk, nothing but the
//! state it told of is left. So a queue that turns out to be new makes its reader ask for a resync; each service notes that
//! as an entry of its outbox ([`ResyncHandler`]), and [`ResyncOutbox`], which stands before the outbox, makes the messages from the state,
//! a page at a time. The note goes when the last one was confirmed: after a crash it begins again. Readers take everything
//! twice and in any order, so nothing else has to know of it.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use paging::Cursor;
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Backlog, Outbox, OutboxError};
use crate::{
    handler::{Effect, Handler, Outcome},
    message::{Entry, Message},
};

/// The name of the note. It is never published.
const NOTE: &str = "resync";

/// Messages that are made at once.
const PAGE: usize = 256;

/// What a service tells of: its state as messages.
#[async_trait]
pub trait Snapshot: Send + Sync {
    /// At most `max` messages, with the place of each in a fixed order; those behind `after`.
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError>;
}

/// The entry that stands for everything, until it is told.
pub fn note() -> Entry {
    Entry::new(NOTE, false, b"{}".to_vec(), None)
}

/// An outbox that also gives out everything again where that is noted in it.
pub struct ResyncOutbox {
    outbox: Arc<dyn Outbox>,
    snapshot: Arc<dyn Snapshot>,
    walk: Mutex<Option<Walk>>,
}

/// How far it has come.
struct Walk {
    /// Those that were there at the beginning. One that came later asks for a walk of its own.
    notes: Vec<Uuid>,
    after: Option<Cursor>,
    /// What was given out and is not confirmed yet.
    offered: BTreeMap<Uuid, Entry>,
    told: usize,
}

impl ResyncOutbox {
    /// Stands before an outbox.
    pub fn new(outbox: Arc<dyn Outbox>, snapshot: Arc<dyn Snapshot>) -> Arc<Self> {
        Arc::new(Self { outbox, snapshot, walk: Mutex::default() })
    }

    /// Takes the notes out of what waits, and puts in what is to be told.
    async fn replace(&self, entries: &mut Vec<Entry>) -> Result<(), OutboxError> {
        let notes: Vec<Uuid> =
            entries.extract_if(.., |entry| entry.message.name == NOTE).map(|e| e.message.id).collect();
        let mut walk = self.walk.lock().await;
        if walk.is_none() && notes.is_empty() {
            return Ok(());
        }
        let on = walk.get_or_insert_with(|| Walk { notes, after: None, offered: BTreeMap::new(), told: 0 });
        if on.offered.is_empty() {
            let page = self.snapshot.page(on.after, PAGE).await?;
            let Some((last, _)) = page.last() else {
                self.outbox.mark_published(&on.notes).await?;
                tracing::info!(messages = on.told, "everything was told again");
                *walk = None;
                return Ok(());
            };
            on.after = Some(*last);
            on.told += page.len();
            on.offered = page.into_iter().map(|(_, entry)| (entry.message.id, entry)).collect();
        }
        entries.extend(on.offered.values().cloned());
        Ok(())
    }
}

#[async_trait]
impl Outbox for ResyncOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        let mut entries = self.outbox.pending(max).await?;
        self.replace(&mut entries).await?;
        Ok(entries)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        if let Some(walk) = &mut *self.walk.lock().await {
            walk.offered.retain(|id, _| !ids.contains(id));
        }
        self.outbox.mark_published(ids).await // it passes over ids that are not its own
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        if let Some(walk) = &mut *self.walk.lock().await
            && walk.offered.remove(&id).is_some()
        {
            return Ok(()); // what it tells of is stored, and the bus has logged it
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

/// A handler that notes what others ask for, and leaves all other messages to the next one.
pub struct ResyncHandler {
    name: &'static str,
    outbox: Arc<dyn Outbox>,
    handler: Arc<dyn Handler>,
}

impl ResyncHandler {
    /// `name` is that of the messages that ask.
    pub fn new(name: &'static str, outbox: Arc<dyn Outbox>, handler: Arc<dyn Handler>) -> Arc<Self> {
        Arc::new(Self { name, outbox, handler })
    }
}

#[async_trait]
impl Handler for ResyncHandler {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let (asking, others): (Vec<_>, Vec<_>) = batch.iter().cloned().partition(|message| message.name == self.name);
        if asking.is_empty() {
            return self.handler.handle(batch).await;
        }
        let noted = self.outbox.request_resync().await; // one for all of them
        let mut outcomes = self.handler.handle(&others).await.into_iter();
        let outcome = |message: &Message| match &noted {
            _ if message.name != self.name => outcomes.next(),
            Ok(()) => Some(Outcome::Done(Effect::Applied)),
            Err(cause) => Some(Outcome::Retry(cause.to_string())),
        };
        batch.iter().filter_map(outcome).collect()
    }
}
