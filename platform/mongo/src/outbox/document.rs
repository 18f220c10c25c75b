//! What the outbox reads and writes of a document: its array `outbox`, with an entry for each unpublished message. They are counted
//! for the metrics.

use std::{
    collections::{BTreeMap, HashSet},
    time::Duration,
};

use jiff::Timestamp;
use messaging::{Entry, Message, outbox::Backlog};
use mongodb::bson::{self, Document, doc};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::in_flight::EntryLocation;
use crate::{
    error::{Deadline, MongoError},
    table::{SUM_INTERVAL, Select, Table, id, key, number},
};

/// The tables whose documents have an `outbox`, by their names.
pub(super) type Tables = Vec<(&'static str, Table<DocumentWithOutbox>)>;

/// The part of a document that the outbox needs.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentWithOutbox {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    pub(super) outbox: Vec<StoredEntry>,
}

/// The part of a document that says which entries are there.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct DocumentWithIds {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    pub(super) outbox: Vec<EntryId>,
}

/// The id of an entry.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct EntryId {
    pub(super) id: bson::Uuid,
}

/// An entry in the array `outbox` of the document that it describes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredEntry {
    id: bson::Uuid,
    name: String,
    mandatory: bool,
    /// JSON, as text, so that an operator can read it in the database.
    body: String,
    /// Microseconds since 1970, since MongoDB's dates have only milliseconds. By the clock of its writer, so nobody compares it with
    /// another clock.
    at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) redriven: bool,
}

impl From<&Entry> for StoredEntry {
    fn from(entry: &Entry) -> Self {
        let Entry { message, mandatory } = entry;
        Self {
            id: key(message.id),
            name: message.name.clone(),
            mandatory: *mandatory,
            body: String::from_utf8_lossy(&message.body).into_owned(),
            at: message.occurred_at.as_microsecond(),
            traceparent: message.traceparent.clone(),
            redriven: message.redriven,
        }
    }
}

impl From<StoredEntry> for Entry {
    fn from(stored: StoredEntry) -> Self {
        let message = Message {
            id: id(stored.id),
            name: stored.name,
            body: stored.body.into_bytes(),
            occurred_at: Timestamp::from_microsecond(stored.at).unwrap_or(Timestamp::UNIX_EPOCH),
            traceparent: stored.traceparent,
            redriven: stored.redriven,
        };
        Self { message, mandatory: stored.mandatory }
    }
}

/// The longest time of a look, which grows with the data.
const LOOK_TIMEOUT: Duration = Duration::from_secs(60);

/// The documents with entries. Those without are not in the index.
fn with_entries() -> Document {
    doc! { "outbox.at": { "$gt": 0 } }
}

/// Which entries are there: `max` of each table, or more. In no order: `at` is in an array, so in its order the server would have to
/// sort all that wait (<https://jira.mongodb.org/browse/SERVER-31898>).
pub(super) async fn ids(tables: &Tables, max: usize) -> Result<Vec<(Uuid, EntryLocation)>, MongoError> {
    let (deadline, mut there) = (Deadline::after(LOOK_TIMEOUT), Vec::new());
    for (name, table) in tables {
        let fields = doc! { "outbox.id": 1 };
        let select = Select { filter: with_entries(), fields, limit: max, ..Select::default() };
        for DocumentWithIds { id: document, outbox } in table.part().select(deadline, select).await? {
            let location = EntryLocation { table: name, id: document };
            there.extend(outbox.into_iter().map(|entry| (id(entry.id), location)));
        }
    }
    Ok(there)
}

/// Reads those of these entries that are still there.
pub(super) async fn read(
    tables: &Tables,
    entries: &[(Uuid, EntryLocation)],
) -> Result<BTreeMap<Uuid, Entry>, MongoError> {
    let (deadline, mut found) = (Deadline::new(), BTreeMap::new());
    let wanted: HashSet<_> = entries.iter().map(|(id, _)| *id).collect();
    for (name, table) in tables {
        let documents = entries.iter().filter(|(_, location)| location.table == *name).map(|(_, location)| location.id);
        let documents: HashSet<_> = documents.collect();
        if documents.is_empty() {
            continue;
        }
        let filter = doc! { "_id": { "$in": documents.into_iter().collect::<Vec<_>>() } };
        let select = Select { filter, fields: doc! { "outbox": 1 }, ..Select::default() };
        let stored = table.select(deadline, select).await?.into_iter().flat_map(|document| document.outbox);
        let stored = stored.map(Entry::from).filter(|entry| wanted.contains(&entry.message.id));
        found.extend(stored.map(|entry| (entry.message.id, entry)));
    }
    Ok(found)
}

/// Counts the entries that wait in all documents.
pub(super) async fn count(tables: &Tables) -> Result<Backlog, MongoError> {
    let mut backlog = Backlog::default();
    for (_, table) in tables {
        let pipeline = vec![
            doc! { "$match": with_entries() },
            doc! { "$project": { "n": { "$size": "$outbox" }, "at": { "$min": "$outbox.at" } } },
            doc! { "$group": { "_id": null, "n": { "$sum": "$n" }, "at": { "$min": "$at" } } },
        ];
        let Some(found) = table.aggregate(Deadline::after(SUM_INTERVAL), pipeline).await?.pop() else { continue };
        backlog.pending += number(&found, "n").max(0).cast_unsigned();
        let oldest = Timestamp::from_microsecond(number(&found, "at")).ok();
        backlog.oldest = backlog.oldest.into_iter().chain(oldest).min();
    }
    Ok(backlog)
}
