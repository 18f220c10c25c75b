//! The outbox inside the documents: each has its unpublished messages in an array `outbox`, so state and message are one
//! write.
//!
//! A process publishes its own commits at once and from memory, without reading them. What is older than [`LEFT_OVER`]
//! was left by a process that died, or by a broker that was away; the holder of the [`Lease`] reads and publishes it.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, MutexGuard,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use jiff::Timestamp;
use messaging::{
    Entry,
    outbox::{Backlog, Outbox, OutboxError, resync},
};
use mongodb::bson::{self, doc};
use process::background::Background;
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    client::Mongo,
    dead_letters::{self, MongoDeadLetters},
    error::{Deadline, MongoError},
    ids::key,
    index::Index,
    lease::Lease,
    pending::{OnTheWay, Place},
    table::{Select, Table, number},
};

pub use super::pending::StoredEntry;

/// Older entries are left over: their own process had its chance.
pub const LEFT_OVER: Duration = Duration::from_secs(5);

/// How often the database is asked for what is left over, where the last answer was not full.
const LOOK: Duration = Duration::from_millis(500);

/// The notes that everything is to be told again, each in a document of its own.
const RESYNCS: &str = "resyncs";

/// How often the backlog is counted; and no more than this part of the time is spent counting.
const COUNT: (Duration, u32) = (Duration::from_secs(5), 20);

/// The outbox of one database.
pub struct MongoOutbox {
    mongo: Mongo,
    tables: Vec<(&'static str, Table<Carrier>)>,
    wake: Arc<Notify>,
    on_the_way: Mutex<OnTheWay>,
    /// Whether this process relays what is left over.
    leads: Arc<AtomicBool>,
    looked: Mutex<Option<Instant>>,
    backlog: Mutex<Backlog>,
    dead: Arc<MongoDeadLetters>,
}

/// The part of a document that the outbox needs.
#[derive(Debug, Serialize, Deserialize)]
struct Carrier {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    outbox: Vec<StoredEntry>,
}

impl MongoOutbox {
    /// `tables` are those whose documents have an `outbox`. `wake` is notified when there is something to publish.
    pub fn new(mongo: &Mongo, tables: &[&'static str], wake: Arc<Notify>) -> Arc<Self> {
        let tables = tables.iter().chain(&[dead_letters::TABLE, RESYNCS]);
        Arc::new(Self {
            mongo: mongo.clone(),
            tables: tables.map(|name| (*name, Table::of(mongo, name))).collect(),
            wake,
            on_the_way: Mutex::default(),
            leads: Arc::default(),
            looked: Mutex::default(),
            backlog: Mutex::default(),
            dead: Arc::new(MongoDeadLetters::new(mongo)),
        })
    }

    /// The indexes it needs.
    pub fn indexes(&self) -> Vec<Index> {
        let index = |(name, _): &(&'static str, _)| Index { table: name, keys: doc! { "outbox.at": 1 }, sparse: true };
        self.tables.iter().map(index).collect()
    }

    /// Takes part in choosing who relays what is left over, and counts the backlog.
    pub fn start(self: &Arc<Self>, mongo: &Mongo, background: &Background) {
        let lease = Lease::new(mongo, "relay", self.leads.clone());
        background.spawn_with(|stop| lease.keep(stop));
        let outbox = self.clone();
        background.spawn(async move {
            loop {
                let began = Instant::now();
                let _ = outbox.count().await; // the state of the database logs it; what was last known stays
                tokio::time::sleep(COUNT.0.max(began.elapsed() * COUNT.1)).await;
            }
        });
    }

    /// What a store calls after it has written entries into a document.
    pub fn committed(&self, table: &'static str, document: Uuid, entries: impl IntoIterator<Item = Entry>) {
        let place = Place { table, id: key(document) };
        let mut on_the_way = self.on_the_way();
        entries.into_iter().for_each(|entry| on_the_way.add(entry, place));
        drop(on_the_way);
        self.wake.notify_one();
    }

    /// Where messages are set aside that nobody takes.
    pub fn dead_letters(&self) -> Arc<MongoDeadLetters> {
        self.dead.clone()
    }

    /// Whether this process relays what is left over.
    pub fn leads(&self) -> bool {
        self.leads.load(Ordering::Relaxed)
    }

    /// What is older than this is left over.
    pub fn left_over_before() -> Timestamp {
        Timestamp::now().saturating_sub(LEFT_OVER).unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn on_the_way(&self) -> MutexGuard<'_, OnTheWay> {
        self.on_the_way.lock().expect("nothing panics while it holds this")
    }

    fn table(&self, name: &str) -> &Table<Carrier> {
        let (_, table) = self.tables.iter().find(|(table, _)| *table == name).expect("places are in these tables");
        table
    }

    /// Whether it is time to look for what is left over.
    fn due(&self) -> bool {
        let mut looked = self.looked.lock().expect("nothing panics while it holds this");
        let due = self.leads() && looked.is_none_or(|at| at.elapsed() >= LOOK);
        if due {
            *looked = Some(Instant::now());
        }
        due
    }

    async fn left_over(&self, max: usize, before: Timestamp) -> Result<BTreeMap<Uuid, Entry>, MongoError> {
        let (deadline, mut found) = (Deadline::new(), BTreeMap::new());
        for (name, table) in &self.tables {
            let select = Select {
                filter: doc! { "outbox.at": { "$lt": before.as_microsecond() } },
                sort: doc! { "outbox.at": 1 },
                limit: max,
                fields: doc! { "outbox": 1 },
            };
            for carrier in table.select(deadline, select).await? {
                let mut on_the_way = self.on_the_way();
                for entry in carrier.outbox.into_iter().map(Entry::from) {
                    if !on_the_way.confirmed.contains_key(&entry.message.id) {
                        on_the_way.handed_out(entry.message.id, Place { table: name, id: carrier.id });
                        found.insert(entry.message.id, entry);
                    }
                }
            }
        }
        if found.len() >= max {
            *self.looked.lock().expect("nothing panics while it holds this") = None; // there is more
        }
        Ok(found)
    }

    /// Removes from their documents what was confirmed; all of it, or it is tried again.
    async fn remove_confirmed(&self) -> Result<(), MongoError> {
        let confirmed = self.on_the_way().confirmed.clone();
        for (name, table) in &self.tables {
            let here = confirmed.iter().filter(|(_, place)| place.table == *name);
            let (ids, documents): (Vec<_>, Vec<_>) = here.map(|(id, place)| (key(*id), place.id)).unzip();
            if ids.is_empty() {
                continue;
            }
            if *name == dead_letters::TABLE {
                self.dead.redriven(&documents).await?;
                continue;
            }
            if *name == RESYNCS {
                let done = doc! { "_id": { "$in": documents } };
                table.remove(Deadline::new(), "resync.done", done).await?;
                continue;
            }
            let pull = doc! { "$pull": { "outbox": { "id": { "$in": ids } } } };
            let documents = doc! { "_id": { "$in": documents } };
            table.change_many(Deadline::new(), "outbox.sent", documents, pull).await?;
        }
        let mut on_the_way = self.on_the_way();
        on_the_way.confirmed.retain(|id, _| !confirmed.contains_key(id));
        Ok(())
    }

    async fn count(&self) -> Result<(), MongoError> {
        let mut backlog = Backlog::default();
        for (_, table) in &self.tables {
            // Those without entries are not in the index.
            let pipeline = vec![
                doc! { "$match": { "outbox.at": { "$gt": 0 } } },
                doc! { "$project": { "n": { "$size": "$outbox" }, "at": { "$min": "$outbox.at" } } },
                doc! { "$group": { "_id": null, "n": { "$sum": "$n" }, "at": { "$min": "$at" } } },
            ];
            let Some(found) = table.aggregate(Deadline::after(COUNT.0), pipeline).await?.pop() else { continue };
            backlog.pending += number(&found, "n").max(0).cast_unsigned();
            let oldest = Timestamp::from_microsecond(number(&found, "at")).ok();
            backlog.oldest = backlog.oldest.into_iter().chain(oldest).min();
        }
        *self.backlog.lock().expect("nothing panics while it holds this") = backlog;
        Ok(())
    }
}

#[async_trait]
impl Outbox for MongoOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        if !self.on_the_way().confirmed.is_empty() {
            self.remove_confirmed().await?; // the database was away
        }
        let before = Self::left_over_before();
        let mut entries = self.on_the_way().fresh(max, before);
        if self.due() {
            entries.append(&mut self.left_over(max, before).await?);
        } else if entries.is_empty() && self.mongo.state.has_failed() {
            self.mongo.ping().await?; // nothing was asked, and that must not look as if all were well
        }
        Ok(entries.into_values().take(max).collect())
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        {
            let mut on_the_way = self.on_the_way();
            let places: Vec<_> = ids.iter().filter_map(|id| Some((*id, on_the_way.take(*id)?))).collect();
            on_the_way.confirmed.extend(places);
        }
        Ok(self.remove_confirmed().await?)
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        let Some(place) = self.on_the_way().take(id) else { return Ok(()) };
        let entry_id = key(id);
        let filter = doc! { "_id": place.id, "outbox.id": entry_id };
        let carrier = self.table(place.table).get(Deadline::new(), filter, doc! { "outbox": 1 }).await?;
        let entry =
            carrier.and_then(|carrier| carrier.outbox.into_iter().map(Entry::from).find(|e| e.message.id == id));
        if let Some(entry) = entry {
            self.dead.set_aside(&entry, queue, cause, attempts).await?;
        }
        if place.table != dead_letters::TABLE {
            self.on_the_way().confirmed.insert(id, place);
            self.remove_confirmed().await?;
        }
        Ok(())
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        let note = resync::note();
        let id = note.message.id;
        let carrier = Carrier { id: key(id), outbox: vec![StoredEntry::from(&note)] };
        self.table(RESYNCS).insert(Deadline::new(), "resync.note", carrier).await?;
        self.committed(RESYNCS, id, [note]);
        Ok(())
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        Ok(*self.backlog.lock().expect("nothing panics while it holds this"))
    }

    fn is_leader(&self) -> bool {
        self.leads()
    }
}

impl From<MongoError> for OutboxError {
    fn from(cause: MongoError) -> Self {
        Self(cause.to_string())
    }
}
