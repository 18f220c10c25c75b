//! An outbox entry as it is stored in a document, and the entries of this process that are not removed from the database yet.
//! The latter are in memory only: after a crash the leader reads them from the database.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use messaging::{Entry, Message};
use mongodb::bson;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::table::{id, key};

/// The most entries that are kept in memory. More than these are read from the database by the leader.
const IN_MEMORY_MAX: usize = 10_000;

/// The document that holds an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct EntryLocation {
    pub(super) table: &'static str,
    pub(super) id: bson::Uuid,
}

/// The entries that this process has committed or read, and that are still in the database.
#[derive(Default)]
pub(super) struct InFlight {
    /// Committed by this process a moment ago, in the order of their ids, which is the order of writing.
    pub(super) fresh: BTreeMap<Uuid, Entry>,
    /// Confirmed, but still in their documents: they are not given to the relay again.
    pub(super) confirmed: HashMap<Uuid, EntryLocation>,
    /// The document of each entry that was committed or read.
    locations: HashMap<Uuid, EntryLocation>,
}

impl InFlight {
    pub(super) fn add(&mut self, entry: Entry, location: EntryLocation) {
        if self.fresh.len() < IN_MEMORY_MAX {
            self.locations.insert(entry.message.id, location);
            self.fresh.insert(entry.message.id, entry);
        }
    }

    /// The first `max` that were committed after `since`. Older ones are left to the leader.
    pub(super) fn fresh(&mut self, max: usize, since: Timestamp) -> BTreeMap<Uuid, Entry> {
        let locations = &mut self.locations;
        self.fresh.retain(|id, entry| {
            let keep = entry.message.occurred_at >= since;
            if !keep {
                locations.remove(id);
            }
            keep
        });
        self.fresh.iter().take(max).map(|(id, entry)| (*id, entry.clone())).collect()
    }

    /// Remembers the document of an entry that was read from the database.
    pub(super) fn was_read(&mut self, id: Uuid, location: EntryLocation) {
        if self.locations.len() > 10 * IN_MEMORY_MAX {
            self.locations.clear(); // entries that were never published: the leader reads them again
        }
        self.locations.insert(id, location);
    }

    /// Removes an entry, and answers its document. `None` if the entry is not known.
    pub(super) fn take(&mut self, id: Uuid) -> Option<EntryLocation> {
        self.fresh.remove(&id);
        self.locations.remove(&id)
    }
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
    pub(crate) at: i64,
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
