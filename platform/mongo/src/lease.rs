//! Chooses the leader: one process at a time holds the lease, and publishes the entries that other processes left.
//!
//! The holder increments `beat` once a second. A process that sees the same beat for [`EXPIRY`] by its own clock takes the lease
//! over. Two clocks are never compared, so a wrong clock does no harm. Two holders for a moment would only publish an entry
//! twice, and readers are idempotent.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use mongodb::bson::{Uuid, doc};
use serde::{Deserialize, Serialize};
use tokio_util::sync::CancellationToken;

use crate::{
    client::Mongo,
    error::{Deadline, MongoError},
    table::{Inserted, Table},
};

/// The collection.
pub(super) const TABLE: &str = "leases";

/// How often the holder renews the lease.
const BEAT_INTERVAL: Duration = Duration::from_secs(1);

/// A lease that was not renewed for so long is free. A holder that cannot renew it gives it up before that.
const EXPIRY: Duration = Duration::from_secs(4);

/// The lease as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LeaseDoc {
    #[serde(rename = "_id")]
    id: String,
    holder: Uuid,
    beat: i64,
}

/// One lease, as this process sees it.
pub struct Lease {
    table: Table<LeaseDoc>,
    name: &'static str,
    me: Uuid,
    held: Arc<AtomicBool>,
    /// The lease of another process that was seen last, and since when it has not changed.
    seen: Option<(LeaseDoc, Instant)>,
    renewed: Instant,
}

impl Lease {
    /// A lease that is not held yet. `held` is kept up to date.
    pub fn new(mongo: &Mongo, name: &'static str, held: Arc<AtomicBool>) -> Self {
        Self { table: Table::of(mongo, TABLE), name, me: Uuid::new(), held, seen: None, renewed: Instant::now() }
    }

    /// Takes and renews it until `stop`. Then it is removed, so that the next process need not wait.
    pub async fn keep(mut self, stop: CancellationToken) {
        let beats = async {
            loop {
                self.beat().await;
                tokio::time::sleep(BEAT_INTERVAL).await;
            }
        };
        stop.run_until_cancelled(beats).await;
        if self.held.swap(false, Ordering::Relaxed) {
            let mine = doc! { "_id": self.name, "holder": self.me };
            let _ = self.table.remove(Deadline::after(BEAT_INTERVAL), "lease", mine).await; // after an error it expires
        }
    }

    /// One step.
    async fn beat(&mut self) {
        let begun = Instant::now();
        match self.take_or_renew().await {
            Ok(held) => {
                self.held.store(held, Ordering::Relaxed);
                if held {
                    (self.renewed, self.seen) = (begun, None);
                }
            }
            Err(_) if self.renewed.elapsed() + BEAT_INTERVAL >= EXPIRY => self.held.store(false, Ordering::Relaxed),
            Err(_) => {}
        }
    }

    async fn take_or_renew(&mut self) -> Result<bool, MongoError> {
        let deadline = Deadline::after(BEAT_INTERVAL);
        let Some(stored) = self.table.get(deadline, doc! { "_id": self.name }, doc! {}).await? else {
            let mine = LeaseDoc { id: self.name.to_owned(), holder: self.me, beat: 1 };
            return Ok(self.table.insert(deadline, "lease", mine).await? == Inserted::New);
        };
        if stored.holder != self.me && !self.is_expired(&stored) {
            return Ok(false);
        }
        let same = doc! { "_id": self.name, "holder": stored.holder, "beat": stored.beat };
        let renewed = doc! { "$set": { "holder": self.me }, "$inc": { "beat": 1 } };
        self.table.change(deadline, "lease", same, renewed).await
    }

    /// Whether the lease of another process was not renewed for [`EXPIRY`].
    fn is_expired(&mut self, stored: &LeaseDoc) -> bool {
        match &self.seen {
            Some((seen, since)) if seen == stored => since.elapsed() >= EXPIRY,
            _ => {
                self.seen = Some((stored.clone(), Instant::now()));
                false
            }
        }
    }
}
