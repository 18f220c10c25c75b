//! How long something is there that another process has written, by the clock of this process alone.
//!
//! What is stored says when it was written, by the clock of its writer. If that is wrong by ten minutes it would delay or hurry
//! all that this process has left. So each process remembers when it saw something first. After a restart it begins anew.

use std::{collections::HashMap, hash::Hash, mem, time::Duration};

use tokio::time::Instant;

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
