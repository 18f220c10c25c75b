//! What all clients of a run share.

use std::sync::{Mutex, MutexGuard};

use tokio_util::sync::CancellationToken;

use crate::{inventory::Inventory, options::Plan, pace::Pace, record::Recorder, tally::Tally};

/// There is one thread, so the locks never wait.
pub(crate) struct Shared {
    pub(crate) plan: Plan,
    pub(crate) pace: Pace,
    pub(crate) stop: CancellationToken,
    pub(crate) inventory: Mutex<Inventory>,
    pub(crate) tally: Mutex<Tally>,
    pub(crate) recorder: Option<Recorder>,
    /// Distinguishes this run's users and keys from those of any other.
    pub(crate) run: String,
}

impl Shared {
    pub(crate) fn inventory(&self) -> MutexGuard<'_, Inventory> {
        self.inventory.lock().expect("nothing panics while it holds this")
    }

    pub(crate) fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("nothing panics while it holds this")
    }
}
