//! Entries that could not be published, and when each is retried: later with each attempt, so that they cost little however
//! many they are.
//!
//! A message without a queue mostly has one a moment later: two services start together, and one declares its queue after the
//! other has published. So of the returned messages of one name, one is retried every second, and when it is accepted all
//! others are due.

use std::{
    collections::{HashMap, HashSet},
    time::{Duration, Instant},
};

use uuid::Uuid;

use crate::message::{Entry, PublishError};

/// How long an entry waits: the first duration, doubled with each attempt, up to the second.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(30));

/// How often one of the returned messages of a name is retried.
const PROBE_INTERVAL: Duration = Duration::from_secs(1);

/// An entry that was due so long ago is no longer in the outbox: another process has published it.
const FORGET_AFTER: Duration = Duration::from_secs(60);

/// The entries that wait. They are in memory only: after a restart all are retried at once.
#[derive(Default)]
pub(super) struct Waiting {
    entries: HashMap<Uuid, Wait>,
    /// By the name of a returned message: when one of them is retried next.
    probes: HashMap<String, Instant>,
}

struct Wait {
    name: String,
    unread: bool,
    tries: u32,
    until: Instant,
}

impl Waiting {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether this entry may be published now.
    pub(super) fn is_due(&self, id: Uuid, now: Instant) -> bool {
        self.entries.get(&id).is_none_or(|wait| wait.until <= now)
    }

    /// Removes entries that another process has published, where several share an outbox.
    pub(super) fn forget_old(&mut self, now: Instant) {
        self.entries.retain(|_, wait| wait.until + FORGET_AFTER > now);
        self.probes.retain(|_, until| *until + FORGET_AFTER > now);
    }

    /// It waits no longer.
    pub(super) fn remove(&mut self, id: Uuid) {
        self.entries.remove(&id);
    }

    /// Messages of these names were accepted: the other ones of these names are due now.
    pub(super) fn accepted(&mut self, names: &HashSet<&str>, now: Instant) {
        if self.probes.is_empty() {
            return;
        }
        self.probes.retain(|name, _| !names.contains(name.as_str()));
        let unread = self.entries.values_mut().filter(|wait| wait.unread && names.contains(wait.name.as_str()));
        unread.for_each(|wait| wait.until = wait.until.min(now));
    }

    /// It was not published.
    pub(super) fn add(&mut self, entry: &Entry, cause: &PublishError, now: Instant) {
        let (id, name) = (entry.message.id, &entry.message.name);
        let wait =
            self.entries.entry(id).or_insert_with(|| Wait { name: name.clone(), unread: false, tries: 0, until: now });
        if wait.tries == 0 {
            let message = name.as_str();
            tracing::warn!(%id, message, "a message was not taken, it waits and is tried again: {cause}");
        }
        let mut pause = BACKOFF.0.saturating_mul(1 << wait.tries.min(10)).min(BACKOFF.1);
        wait.unread = *cause == PublishError::Returned;
        if wait.unread && self.probes.get(name).is_none_or(|next| *next <= now) {
            pause = pause.min(PROBE_INTERVAL);
            self.probes.insert(name.clone(), now + pause);
        }
        wait.tries += 1;
        wait.until = now + pause;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(name: &str, count: usize) -> Vec<Entry> {
        (0..count).map(|_| Entry::new(name, true, Vec::new(), None)).collect()
    }

    /// Tries what is due, for so many seconds, in steps of the relay's glance; all of it comes back. How often it did.
    fn come_back(waiting: &mut Waiting, entries: &[Entry], cause: &PublishError, from: Instant, seconds: u64) -> usize {
        let mut tries = 0;
        for step in 0..seconds * 2 {
            let now = from + Duration::from_millis(500) * u32::try_from(step).unwrap();
            waiting.forget_old(now);
            for entry in entries {
                if waiting.is_due(entry.message.id, now) {
                    waiting.add(entry, cause, now);
                    tries += 1;
                }
            }
        }
        tries
    }

    fn due(waiting: &Waiting, entries: &[Entry], now: Instant) -> usize {
        entries.iter().filter(|entry| waiting.is_due(entry.message.id, now)).count()
    }

    #[test]
    fn of_those_that_nobody_reads_one_is_tried_every_second_and_the_others_seldom() {
        let (mut waiting, notes, began) = (Waiting::default(), entries("note", 100), Instant::now());
        let tries = come_back(&mut waiting, &notes, &PublishError::Returned, began, 600);
        // 5 tries up to the longest pause, then one in 30 s; and the probes.
        assert!((600..100 * (6 + 600 / 30) + 600).contains(&tries), "{tries}");
        for second in 600..700 {
            let now = began + Duration::from_secs(second);
            assert!(due(&waiting, &notes, now + PROBE_INTERVAL) >= 1, "in second {second}");
            come_back(&mut waiting, &notes, &PublishError::Returned, now, 1);
        }
    }

    #[test]
    fn when_one_is_taken_all_others_of_its_name_are_due_and_no_others() {
        let (mut waiting, began) = (Waiting::default(), Instant::now());
        let (notes, letters, refused) = (entries("note", 10), entries("letter", 10), entries("note", 10));
        come_back(&mut waiting, &notes, &PublishError::Returned, began, 100);
        come_back(&mut waiting, &letters, &PublishError::Returned, began, 100);
        come_back(&mut waiting, &refused, &PublishError::Nacked, began, 100);
        let now = began + Duration::from_secs(100);
        let before = (due(&waiting, &letters, now), due(&waiting, &refused, now));
        waiting.remove(notes[0].message.id);
        waiting.accepted(&HashSet::from(["note"]), now);
        assert_eq!(due(&waiting, &notes, now), 10);
        assert_eq!((due(&waiting, &letters, now), due(&waiting, &refused, now)), before, "they wait for others");
        assert!(before.0 <= 1 && before.1 == 0, "{before:?}");
    }
}
