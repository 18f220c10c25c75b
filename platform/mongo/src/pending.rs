//! An outbox entry as it lies in a document, and the entries of this process that are on their way.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use messaging::{Entry, Message};
use mongodb::bson;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::ids::{id, key};

/// Entries kept at most. What is more waits in the database, like those of a process that died.
const KEPT_MAX: usize = 10_000;

/// An entry in the array `outbox` of the document it tells of.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredEntry {
    id: bson::Uuid,
    name: String,
    mandatory: bool,
    /// JSON; as text, so that it can be read in the database.
    body: String,
    /// Microseconds since 1970: MongoDB's own instants have milliseconds.
    pub(super) at: i64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    traceparent: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) redriven: bool,
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

/// The document that holds an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) table: &'static str,
    pub(super) id: bson::Uuid,
}

/// What this process has committed or read, and has not seen removed yet.
#[derive(Default)]
pub(super) struct OnTheWay {
    /// Committed here a moment ago, in the order of their ids, which is that of writing.
    pub(super) fresh: BTreeMap<Uuid, Entry>,
    /// Confirmed, but still in their documents: never offered again.
    pub(super) confirmed: HashMap<Uuid, Place>,
    /// Where each entry lies that was committed or handed out.
    places: HashMap<Uuid, Place>,
}

impl OnTheWay {
    pub(super) fn add(&mut self, entry: Entry, place: Place) {
        if self.fresh.len() < KEPT_MAX {
            self.places.insert(entry.message.id, place);
            self.fresh.insert(entry.message.id, entry);
        }
    }

    /// The first `max` that were committed after `since`. Older ones are left to whoever relays what is left over.
    pub(super) fn fresh(&mut self, max: usize, since: Timestamp) -> BTreeMap<Uuid, Entry> {
        let places = &mut self.places;
        self.fresh.retain(|id, entry| {
            let keep = entry.message.occurred_at >= since;
            if !keep {
                places.remove(id);
            }
            keep
        });
        self.fresh.iter().take(max).map(|(id, entry)| (*id, entry.clone())).collect()
    }

    /// Notes where an entry lies that was read from the database.
    pub(super) fn handed_out(&mut self, id: Uuid, place: Place) {
        if self.places.len() > 10 * KEPT_MAX {
            self.places.clear(); // those that were never sent: whoever relays them reads them again
        }
        self.places.insert(id, place);
    }

    /// Takes an entry off the way; `None` if it is not known.
    pub(super) fn take(&mut self, id: Uuid) -> Option<Place> {
        self.fresh.remove(&id);
        self.places.remove(&id)
    }
}
