//! The dead letters of a bus that keeps none itself: each is a document of its own.
//!
//! A redrive is one write: the document gets an `outbox` with the entry, and loses its field `dead`. The relay finds the entry
//! like any other. A broker keeps its dead letters in its own queues instead: `amqp/src/dead_letters.rs`.

use async_trait::async_trait;
use messaging::{DeadLetter, DeadLetters, Entry, LIST_MAX, outbox::OutboxError};
use mongodb::bson::{self, doc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    client::Mongo,
    error::{Deadline, MongoError},
    outbox::document::StoredEntry,
    table::{Inserted, Select, Table, key, number},
};

pub(super) const TABLE: &str = "dead_letters";

/// The dead letters of one database.
pub struct MongoDeadLetters(Table<Letter>);

/// A dead letter. If `dead` is absent it was redriven and is not published yet.
#[derive(Debug, Serialize, Deserialize)]
struct Letter {
    /// The id of the entry: an insert that is repeated makes no second letter.
    #[serde(rename = "_id")]
    id: bson::Uuid,
    entry: StoredEntry,
    dead: Option<Dead>,
    outbox: Vec<StoredEntry>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Dead {
    queue: String,
    cause: String,
    attempts: u32,
}

impl MongoDeadLetters {
    pub(super) fn new(mongo: &Mongo) -> Self {
        Self(Table::of(mongo, TABLE))
    }

    /// Inserts an entry that `queue` gave up on. The caller must remove it from its outbox afterwards.
    pub async fn insert(&self, entry: &Entry, queue: &str, cause: &str, attempts: u32) -> Result<(), MongoError> {
        let id = key(entry.message.id);
        let dead = Dead { queue: queue.to_owned(), cause: cause.to_owned(), attempts };
        let letter = Letter { id, entry: StoredEntry::from(entry), dead: Some(dead), outbox: Vec::new() };
        if self.0.insert(Deadline::new(), "dead.insert", letter).await? == Inserted::Duplicate {
            let dead = doc! { "queue": queue, "cause": cause, "attempts": i64::from(attempts) };
            let again = doc! { "$set": { "dead": dead, "outbox": [] } };
            self.0.change(Deadline::new(), "dead.again", doc! { "_id": id }, again).await?;
        }
        Ok(())
    }
}

fn dead_ones() -> bson::Document {
    doc! { "dead.queue": { "$exists": true } }
}

#[async_trait]
impl DeadLetters for MongoDeadLetters {
    async fn list(&self) -> Result<Vec<DeadLetter>, OutboxError> {
        let select = Select { filter: dead_ones(), sort: doc! { "_id": 1 }, limit: LIST_MAX, ..Select::default() };
        let letters = self.0.select(Deadline::new(), select).await?;
        Ok(letters.into_iter().filter_map(dead_letter).collect())
    }

    async fn counts(&self) -> Result<Vec<(String, u64)>, OutboxError> {
        let group = doc! { "$group": { "_id": "$dead.queue", "n": { "$sum": 1 } } };
        let counts = self.0.aggregate(Deadline::new(), vec![doc! { "$match": dead_ones() }, group]).await?;
        let count = |found: bson::Document| {
            Some((found.get_str("_id").ok()?.to_owned(), number(&found, "n").max(0).cast_unsigned()))
        };
        Ok(counts.into_iter().filter_map(count).collect())
    }

    async fn redrive(&self, id: Option<Uuid>) -> Result<u64, OutboxError> {
        let mut filter = dead_ones();
        if let Some(id) = id {
            filter.insert("_id", key(id));
        }
        let mut redriven = 0;
        for mut letter in self.0.select(Deadline::new(), Select { filter, ..Select::default() }).await? {
            letter.entry.redriven = true;
            let entry = bson::serialize_to_bson(&letter.entry).map_err(|cause| OutboxError(cause.to_string()))?;
            let mut still_dead = dead_ones();
            still_dead.insert("_id", letter.id);
            let bring_back = doc! { "$set": { "outbox": [entry], "dead": null } };
            let changed = self.0.change(Deadline::new(), "dead.redrive", still_dead, bring_back).await?;
            redriven += u64::from(changed);
        }
        Ok(redriven)
    }
}

fn dead_letter(letter: Letter) -> Option<DeadLetter> {
    let (Dead { queue, cause, attempts }, message) = (letter.dead?, Entry::from(letter.entry).message);
    let (id, occurred_at, body) =
        (message.id, message.occurred_at, String::from_utf8_lossy(&message.body).into_owned());
    Some(DeadLetter { id, queue, message: message.name, cause, attempts, occurred_at, body })
}
