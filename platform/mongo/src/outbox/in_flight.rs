//! The entries of this process that are not removed from the database yet. They are in memory only: after a crash the leader reads
//! them from the database.

use std::collections::{BTreeMap, HashMap};

use jiff::Timestamp;
use messaging::Entry;
use mongodb::bson;
use uuid::Uuid;

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
    pub(super) fresh: BTreeMap<Uuid, (Entry, EntryLocation)>,
    /// The document of each entry that was read from the database.
    read: HashMap<Uuid, EntryLocation>,
    /// Confirmed, but still in their documents: they are not given to the relay again.
    pub(super) confirmed: HashMap<Uuid, EntryLocation>,
}

impl InFlight {
    pub(super) fn add(&mut self, entry: Entry, location: EntryLocation) {
        if self.fresh.len() < IN_MEMORY_MAX {
            self.fresh.insert(entry.message.id, (entry, location));
        }
    }

    /// The first `max` that were committed after `since`. Older ones are left to the leader.
    pub(super) fn fresh(&mut self, max: usize, since: Timestamp) -> BTreeMap<Uuid, Entry> {
        self.fresh.retain(|_, (entry, _)| entry.message.occurred_at >= since);
        self.fresh.iter().take(max).map(|(id, (entry, _))| (*id, entry.clone())).collect()
    }

    /// Remembers the document of an entry that was read from the database.
    pub(super) fn was_read(&mut self, id: Uuid, location: EntryLocation) {
        if self.read.len() > 10 * IN_MEMORY_MAX {
            self.read.clear(); // entries that were never published: the leader reads them again
        }
        self.read.insert(id, location);
    }

    /// Removes an entry, and answers its document. `None` if the entry is not known.
    pub(super) fn take(&mut self, id: Uuid) -> Option<EntryLocation> {
        let read = self.read.remove(&id);
        self.fresh.remove(&id).map(|(_, location)| location).or(read)
    }
}
