//! The entries of this process that are not removed from the database yet. They are in memory only: after a crash the leader reads
//! them from the database.
//!
//! What others have left there is known, too, and for how long: by the clock of this process alone ([`FirstSeen`]). What is stored
//! says when it was written, by the clock of its writer. If that is wrong by ten minutes it would delay or hurry all that this
//! writer has left. So each process remembers when it saw something first. After a restart it begins anew.

use std::{
    collections::{BTreeMap, HashMap},
    hash::Hash,
    mem,
    time::Duration,
};

use messaging::Entry;
use mongodb::bson;
use tokio::time::Instant;
use uuid::Uuid;

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

/// When each of them was first seen, of those that were there at the last look.
#[derive(Debug)]
pub struct FirstSeen<K>(HashMap<K, Instant>);

impl<K> Default for FirstSeen<K> {
    fn default() -> Self {
        Self(HashMap::new())
    }
}

impl<K: Copy + Eq + Hash + Ord> FirstSeen<K> {
    /// A look: these are there now, and nothing else.
    pub fn look(&mut self, there: impl IntoIterator<Item = K>) {
        let (now, before) = (Instant::now(), mem::take(&mut self.0));
        self.0 = there.into_iter().map(|key| (key, before.get(&key).copied().unwrap_or(now))).collect();
    }

    /// It is not there any more.
    pub fn remove(&mut self, key: &K) {
        self.0.remove(key);
    }

    /// Those that were first seen so long ago, in their order.
    pub fn older_than(&self, age: Duration) -> Vec<K> {
        let old = self.0.iter().filter(|(_, since)| since.elapsed() >= age);
        let mut old: Vec<_> = old.map(|(key, _)| *key).collect();
        old.sort_unstable();
        old
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_stays_gets_older_and_what_goes_and_comes_again_is_new() {
        let (mut seen, age) = (FirstSeen::default(), Duration::from_secs(5));
        seen.look([2, 1, 3]);
        assert_eq!((seen.older_than(Duration::ZERO), seen.older_than(age)), (vec![1, 2, 3], vec![]));
        tokio::time::advance(age).await;
        seen.look([3, 1, 4]);
        assert_eq!(seen.older_than(age), [1, 3]);
        seen.remove(&3);
        seen.look([1, 2, 3, 4]);
        assert_eq!(seen.older_than(age), [1]);
    }
}
