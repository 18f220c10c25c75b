//! Removes the holds of answered requests. While one removal runs, the next ones gather, so that the list of a hot event
//! stays short and the removals take little of its time.

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

use super::Shared;

/// Events whose holds are removed at the same time.
const AT_ONCE: usize = 8;

/// Holds that wait for their removal. More than these are left to the janitor.
const WAITING_MAX: usize = 10_000;

/// The attempts whose holds can go, by event.
#[derive(Default)]
pub(super) struct Forgettable {
    waiting: Mutex<HashMap<bson::Uuid, Vec<bson::Uuid>>>,
    some: Notify,
}

impl Forgettable {
    fn waiting(&self) -> MutexGuard<'_, HashMap<bson::Uuid, Vec<bson::Uuid>>> {
        self.waiting.lock().expect("nothing panics while it holds this")
    }

    pub(super) fn add(&self, event: bson::Uuid, attempt: bson::Uuid) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX {
            let attempts = waiting.entry(event).or_default();
            if attempts.len() < WAITING_MAX {
                attempts.push(attempt);
            }
        }
        self.some.notify_one();
    }
}

impl Shared {
    /// Removes until `stop`, and then what is left.
    pub(super) async fn forget_answered(&self, stop: CancellationToken) {
        while stop.run_until_cancelled(self.forgettable.some.notified()).await.is_some() {
            self.forget_all().await;
        }
        self.forget_all().await;
    }

    async fn forget_all(&self) {
        let waiting = mem::take(&mut *self.forgettable.waiting());
        let forget = |(event, attempts)| async move {
            // Where it fails the janitor does it.
            let _ = self.steps.forget(Deadline::new(), event, attempts).await;
        };
        stream::iter(waiting).for_each_concurrent(AT_ONCE, forget).await;
    }
}
