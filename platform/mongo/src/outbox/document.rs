//! What the outbox reads and writes of a document: its array `outbox`, with an entry for each unpublished message. They are counted
//! for the metrics.

use jiff::Timestamp;
use messaging::{Entry, Message, outbox::Backlog};
use mongodb::bson::{self, doc};
use serde::{Deserialize, Serialize};

use crate::{
    error::{Deadline, MongoError},
    table::{SUM_INTERVAL, Table, id, key, number},
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

/// An entry in the array `outbox` of the document that it describes.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredEntry {
    id: bson::Uuid,
    name: String,
    mandatory: bool,
    /// JSON, as text, so that an operator can read it in the database.
    body: String,
    /// Microseconds since 1970, since MongoDB's dates have only milliseconds.
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

/// Counts the entries that wait in all documents.
pub(super) async fn count(tables: &Tables) -> Result<Backlog, MongoError> {
    let mut backlog = Backlog::default();
    for (_, table) in tables {
        // Documents without entries are not in the index.
        let pipeline = vec![
            doc! { "$match": { "outbox.at": { "$gt": 0 } } },
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
