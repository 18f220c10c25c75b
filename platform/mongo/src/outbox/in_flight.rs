//! The entries of this process that are not removed from the database yet. They are in memory only: after a crash the leader reads
//! them from the database.

use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

use messaging::Entry;
use mongodb::bson;
use uuid::Uuid;

use crate::first_seen::FirstSeen;

/// The most entries that are kept in memory. More than these are read from the database by the leader.
const IN_MEMORY_MAX: usize = 10_000;

/// The document that holds an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct EntryLocation {
    pub(super) table: &'static str,
    pub(super) id: bson::Uuid,
}

/// The entries that this process has committed or read, and that are still in the database.
#[derive(Default)]
pub(super) struct InFlight {
    /// Committed by this process a moment ago, in the order of their ids, which is the order of writing.
    pub(super) fresh: BTreeMap<Uuid, (Entry, EntryLocation, Instant)>,
    /// Those that were in the database at the last look, whoever has written them.
    pub(super) stored: FirstSeen<(Uuid, EntryLocation)>,
    /// The document of each entry that was read from the database.
    read: HashMap<Uuid, EntryLocation>,
    /// Confirmed, but still in their documents: they are not given to the relay again.
    pub(super) confirmed: HashMap<Uuid, EntryLocation>,
}

impl InFlight {
    pub(super) fn add(&mut self, entry: Entry, location: EntryLocation) {
        if self.fresh.len() < IN_MEMORY_MAX {
            self.fresh.insert(entry.message.id, (entry, location, Instant::now()));
        }
    }

    /// The first `max` that are not older. Older ones are left to the leader.
    pub(super) fn fresh(&mut self, max: usize, age: Duration) -> BTreeMap<Uuid, Entry> {
        self.fresh.retain(|_, (_, _, committed)| committed.elapsed() < age);
        self.fresh.iter().take(max).map(|(id, (entry, ..))| (*id, entry.clone())).collect()
    }

    /// At most `max` that are in the database for so long and not confirmed, and where they are.
    pub(super) fn left_over(&self, max: usize, age: Duration) -> Vec<(Uuid, EntryLocation)> {
        let waits = |(id, _): &(Uuid, EntryLocation)| !self.confirmed.contains_key(id);
        self.stored.older_than(age).into_iter().filter(waits).take(max).collect()
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
        let location = self.fresh.remove(&id).map(|(_, location, _)| location).or(read)?;
        self.stored.remove(&(id, location));
        Some(location)
    }
}
