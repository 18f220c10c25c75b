//! Removes the holds of requests that are answered. While one removal runs, the next holds gather and are then removed together, so
//! that the list of a hot event stays short and the removals take little of its time. A removal that fails is left to the janitor.

use std::{
    collections::HashMap,
    mem,
    sync::{Mutex, MutexGuard},
};

use futures_util::{StreamExt, stream};
use mongo::error::Deadline;
use mongodb::bson;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::steps::Steps;

/// Events whose holds are removed at the same time.
const EVENTS_AT_ONCE: usize = 8;

/// Events with holds to remove, and such holds of one event. More than these are left to the janitor.
const WAITING_MAX: usize = 10_000;

/// The holds that can be removed: the attempts that made them, by event.
#[derive(Default)]
pub(super) struct HoldCleanup {
    waiting: Mutex<HashMap<bson::Uuid, Vec<bson::Uuid>>>,
    added: Notify,
}

impl HoldCleanup {
    fn waiting(&self) -> MutexGuard<'_, HashMap<bson::Uuid, Vec<bson::Uuid>>> {
        self.waiting.lock().expect("nothing panics while it holds this")
    }

    /// The hold of this attempt is not needed any more.
    pub(super) fn add(&self, event: bson::Uuid, attempt: bson::Uuid) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX {
            let attempts = waiting.entry(event).or_default();
            if attempts.len() < WAITING_MAX {
                attempts.push(attempt);
            }
        }
        self.added.notify_one();
    }

    /// Removes holds until `stop`, and then those that are left.
    pub(super) async fn run(&self, steps: &Steps, stop: CancellationToken) {
        while stop.run_until_cancelled(self.added.notified()).await.is_some() {
            self.remove_all(steps).await;
        }
        self.remove_all(steps).await;
    }

    async fn remove_all(&self, steps: &Steps) {
        let waiting = mem::take(&mut *self.waiting());
        let remove = |(event, attempts)| async move {
            let _ = steps.remove_holds(Deadline::new(), event, attempts).await; // where it fails the janitor does it
        };
        stream::iter(waiting).for_each_concurrent(EVENTS_AT_ONCE, remove).await;
    }
}
