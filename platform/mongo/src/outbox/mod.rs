//! The outbox inside the documents: each document has its unpublished messages in an array `outbox`, so that state and
//! message are one write.
//!
//! A process publishes its own commits at once, from memory. An entry that is there for longer than [`LEFT_OVER_AFTER`] was left by a
//! process that died, or could not be published; the leader, which holds the [`Lease`], reads and publishes it.
//!
//! `document` is what is stored, `in_flight` has the entries that this process has not removed yet, [`source`] adds entries that are
//! made of state. Read next: `lease.rs`.

pub(crate) mod document;
mod in_flight;
mod source;

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use messaging::{
    Entry,
    outbox::{Backlog, Outbox, OutboxError, resync},
};
use mongodb::bson::{self, doc};
use process::background::Background;
use tokio::sync::Notify;
use uuid::Uuid;

use self::{
    document::{DocumentWithOutbox, Tables, count, ids, read},
    in_flight::{EntryLocation, InFlight},
};
use crate::{
    client::Mongo,
    dead_letters::{self, MongoDeadLetters},
    error::{Deadline, MongoError},
    lease::Lease,
    prepare::Index,
    table::{Table, keep_summing, key},
};

pub use self::{document::StoredEntry, in_flight::FirstSeen, source::EntrySource};

/// What is there for longer is left to the leader: its own process could not publish it.
pub const LEFT_OVER_AFTER: Duration = Duration::from_secs(5);

/// How often a process that is not the leader looks which entries are there: as the next leader it knows since when they are.
pub const LOOK_INTERVAL: Duration = Duration::from_millis(2500);

/// So many more entries are looked at than are asked for: each has to be seen for a while, and the leader publishes these meanwhile.
const LOOK_AHEAD: usize = 20_000;

/// The pause after a look is at least so many times as long as the look took.
const PAUSE_PER_LOOK: u32 = 4;

/// How often the leader polls the database for left entries, if the last answer was not full.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// The requests for a resync, each in a document of its own.
const RESYNCS: &str = "resyncs";

/// The outbox of one database.
pub struct MongoOutbox {
    mongo: Mongo,
    tables: Tables,
    wake: Arc<Notify>,
    in_flight: Mutex<InFlight>,
    is_leader: Arc<AtomicBool>,
    /// How many entries were asked for last.
    asked: AtomicUsize,
    /// When the database was last polled for left entries.
    polled: Mutex<Option<Instant>>,
    backlog: Mutex<Backlog>,
    dead_letters: Arc<MongoDeadLetters>,
    source: Option<Arc<dyn EntrySource>>,
}

impl MongoOutbox {
    /// `tables` are those whose documents have an `outbox`. `wake` is notified when there is something to publish. `source` gives
    /// further entries.
    pub fn new(
        mongo: &Mongo,
        tables: &[&'static str],
        wake: Arc<Notify>,
        source: Option<Arc<dyn EntrySource>>,
    ) -> Arc<Self> {
        let tables = tables.iter().chain(&[dead_letters::TABLE, RESYNCS]);
        Arc::new(Self {
            mongo: mongo.clone(),
            tables: tables.map(|name| (*name, Table::of(mongo, name))).collect(),
            wake,
            in_flight: Mutex::default(),
            is_leader: Arc::default(),
            asked: AtomicUsize::default(),
            polled: Mutex::default(),
            backlog: Mutex::default(),
            dead_letters: Arc::new(MongoDeadLetters::new(mongo)),
            source,
        })
    }

    /// The indexes it needs.
    pub fn indexes(&self) -> Vec<Index> {
        let index = |(name, _): &(&'static str, _)| Index { table: name, keys: doc! { "outbox.at": 1 }, sparse: true };
        self.tables.iter().map(index).collect()
    }

    /// Takes part in the choice of the leader, and counts the backlog, in the background.
    pub fn start(self: &Arc<Self>, mongo: &Mongo, background: &Background) {
        let lease = Lease::new(mongo, "relay", self.is_leader.clone());
        background.spawn_with(|stop| lease.keep(stop));
        let (looks, outbox) = (self.clone(), self.clone());
        background.spawn(async move { looks.keep_looking().await });
        background.spawn(keep_summing(async move || {
            // After an error, which was logged, the last count stays.
            if let Ok(backlog) = count(&outbox.tables).await {
                *outbox.backlog.lock().expect("nothing panics while it holds this") = backlog;
            }
        }));
    }

    /// Must be called by a store after it has written entries into a document.
    pub fn committed(&self, table: &'static str, document: Uuid, entries: impl IntoIterator<Item = Entry>) {
        let location = EntryLocation { table, id: key(document) };
        entries.into_iter().for_each(|entry| self.in_flight().add(entry, location));
        self.wake.notify_one();
    }

    /// The dead letters of this database.
    pub fn dead_letters(&self) -> Arc<MongoDeadLetters> {
        self.dead_letters.clone()
    }

    fn in_flight(&self) -> MutexGuard<'_, InFlight> {
        self.in_flight.lock().expect("nothing panics while it holds this")
    }

    fn table(&self, name: &str) -> &Table<DocumentWithOutbox> {
        let (_, table) = self.tables.iter().find(|(table, _)| *table == name).expect("locations are in these tables");
        table
    }

    /// Whether this process must poll for left entries now.
    fn poll_is_due(&self) -> bool {
        let mut polled = self.polled.lock().expect("nothing panics while it holds this");
        let due = self.is_leader() && polled.is_none_or(|at| at.elapsed() >= POLL_INTERVAL);
        if due {
            *polled = Some(Instant::now());
        }
        due
    }

    /// Looks again and again which entries are stored. It takes long if many are, so the relay does not wait for it.
    async fn keep_looking(&self) {
        loop {
            let (began, max) = (Instant::now(), self.asked.load(Ordering::Relaxed) + LOOK_AHEAD);
            let mut pause = if self.is_leader() { POLL_INTERVAL } else { LOOK_INTERVAL };
            if let Ok(there) = ids(&self.tables, max).await {
                self.in_flight().stored.look(there);
                pause = pause.max(began.elapsed() * PAUSE_PER_LOOK);
            }
            tokio::time::sleep(pause).await;
        }
    }

    /// What is there for so long that its own process has left it.
    async fn left_over(&self, max: usize) -> Result<BTreeMap<Uuid, Entry>, MongoError> {
        let left = self.in_flight().left_over(max, LEFT_OVER_AFTER);
        let found = read(&self.tables, &left).await?;
        let mut in_flight = self.in_flight();
        for (id, location) in &left {
            if found.contains_key(id) {
                in_flight.was_read(*id, *location);
            } else {
                in_flight.stored.remove(&(*id, *location)); // another process has published it
            }
        }
        drop(in_flight);
        if left.len() >= max {
            *self.polled.lock().expect("nothing panics while it holds this") = None; // there is more
        }
        Ok(found)
    }

    /// Removes all confirmed entries from their documents. After an error it is tried again later.
    async fn remove_confirmed(&self) -> Result<(), MongoError> {
        let confirmed = self.in_flight().confirmed.clone();
        for (name, table) in &self.tables {
            let here = confirmed.iter().filter(|(_, location)| location.table == *name);
            let (ids, documents): (Vec<_>, Vec<_>) = here.map(|(id, location)| (key(*id), location.id)).unzip();
            if ids.is_empty() {
                continue;
            }
            let mut documents = doc! { "_id": { "$in": documents } };
            match *name {
                dead_letters::TABLE => {
                    documents.insert("dead", bson::Bson::Null); // those that were redriven and are not dead again
                    table.remove(Deadline::new(), "dead.arrived", documents).await?;
                }
                RESYNCS => table.remove(Deadline::new(), "resync.done", documents).await?,
                _ => {
                    let pull = doc! { "$pull": { "outbox": { "id": { "$in": ids } } } };
                    table.change_many(Deadline::new(), "outbox.mark_published", documents, pull).await?;
                }
            }
        }
        self.in_flight().confirmed.retain(|id, _| !confirmed.contains_key(id));
        Ok(())
    }

    /// Entries that are stored in documents.
    async fn stored(&self, max: usize) -> Result<Vec<Entry>, MongoError> {
        if !self.in_flight().confirmed.is_empty() {
            self.remove_confirmed().await?; // an earlier removal failed
        }
        self.asked.store(max, Ordering::Relaxed);
        let mut entries = self.in_flight().fresh(max, LEFT_OVER_AFTER);
        if self.poll_is_due() {
            entries.append(&mut self.left_over(max).await?);
        }
        if entries.is_empty() && self.mongo.failures.is_failing() {
            self.mongo.ping().await?; // perhaps it was not asked: without this an outage would look like an empty outbox
        }
        Ok(entries.into_values().take(max).collect())
    }
}

#[async_trait]
impl Outbox for MongoOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        let Some(source) = &self.source else { return Ok(self.stored(max).await?) };
        // At most half of the batch is of the source, so that neither kind waits until all of the other one is published.
        let mut made = source.pending(max.div_ceil(2), self.is_leader()).await?;
        let mut stored = self.stored(max - made.len()).await?;
        if stored.len() + made.len() < max {
            stored.append(&mut made);
            return Ok(stored);
        }
        made.append(&mut stored); // the source is first, since the end of a full batch may be cut off
        Ok(made)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        {
            let mut in_flight = self.in_flight();
            let locations: Vec<_> = ids.iter().filter_map(|id| Some((*id, in_flight.take(*id)?))).collect();
            in_flight.confirmed.extend(locations);
        }
        self.remove_confirmed().await?;
        match &self.source {
            Some(source) => Ok(source.mark_published(ids).await?),
            None => Ok(()),
        }
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        if let Some(source) = &self.source
            && let Some(entry) = source.unconfirmed(id)
        {
            self.dead_letters.insert(&entry, queue, cause, attempts).await?;
            return Ok(source.mark_published(&[id]).await?);
        }
        let Some(location) = self.in_flight().take(id) else { return Ok(()) };
        let filter = doc! { "_id": location.id, "outbox.id": key(id) };
        let document = self.table(location.table).get(Deadline::new(), filter, doc! { "outbox": 1 }).await?;
        let entries = document.into_iter().flat_map(|document| document.outbox).map(Entry::from);
        if let Some(entry) = entries.into_iter().find(|entry| entry.message.id == id) {
            self.dead_letters.insert(&entry, queue, cause, attempts).await?;
        }
        if location.table != dead_letters::TABLE {
            self.in_flight().confirmed.insert(id, location);
            self.remove_confirmed().await?;
        }
        Ok(())
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        let request = resync::request();
        let id = request.message.id;
        let document = DocumentWithOutbox { id: key(id), outbox: vec![StoredEntry::from(&request)] };
        self.table(RESYNCS).insert(Deadline::new(), "resync.note", document).await?;
        self.committed(RESYNCS, id, [request]);
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        let stored = *self.backlog.lock().expect("nothing panics while it holds this");
        let made = self.source.as_ref().map(|source| source.backlog()).unwrap_or_default();
        let oldest = stored.oldest.into_iter().chain(made.oldest).min();
        Ok(Backlog { pending: stored.pending + made.pending, oldest })
    }

    fn is_leader(&self) -> bool {
        self.is_leader.load(Ordering::Relaxed)
    }
}
