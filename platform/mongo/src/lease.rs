//! One process at a time relays what is left over: whoever holds the lease.
//!
//! Its holder counts `beat` up once a second. Whoever sees the same beat for [`EXPIRY`] by its own clock takes the lease
//! over. No two clocks are ever compared, so a wrong one does no harm; and two holders for a moment would only publish
//! something twice, which readers take.

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

const BEAT: Duration = Duration::from_secs(1);

/// A lease without a beat for so long is free. A holder that cannot renew it gives it up before that.
const EXPIRY: Duration = Duration::from_secs(4);

/// The lease as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct LeaseDoc {
    #[serde(rename = "_id")]
    id: String,
    holder: Uuid,
    beat: i64,
}

/// This process's view of one lease.
pub struct Lease {
    table: Table<LeaseDoc>,
    name: &'static str,
    me: Uuid,
    held: Arc<AtomicBool>,
    /// The last lease of another that was seen, and since when.
    seen: Option<(LeaseDoc, Instant)>,
    renewed: Instant,
}

impl Lease {
    /// Not held yet. `held` follows whether it is.
    pub fn new(mongo: &Mongo, name: &'static str, held: Arc<AtomicBool>) -> Self {
        Self { table: Table::of(mongo, "leases"), name, me: Uuid::new(), held, seen: None, renewed: Instant::now() }
    }

    /// Takes and renews it until `stop`, and then gives it back, so that the next one need not wait.
    pub async fn keep(mut self, stop: CancellationToken) {
        let beats = async {
            loop {
                self.beat().await;
                tokio::time::sleep(BEAT).await;
            }
        };
        stop.run_until_cancelled(beats).await;
        if self.held.swap(false, Ordering::Relaxed) {
            let mine = doc! { "_id": self.name, "holder": self.me };
            let _ = self.table.remove(Deadline::after(BEAT), "lease", mine).await; // else it expires
        }
    }

    /// One step.
    async fn beat(&mut self) {
        match self.try_beat().await {
            Ok(held) => self.held.store(held, Ordering::Relaxed),
            Err(_) if self.renewed.elapsed() + BEAT >= EXPIRY => self.held.store(false, Ordering::Relaxed),
            Err(_) => {}
        }
    }

    async fn try_beat(&mut self) -> Result<bool, MongoError> {
        let begun = Instant::now();
        let deadline = Deadline::after(BEAT);
        let stored = self.table.get(deadline, doc! { "_id": self.name }, doc! {}).await?;
        let Some(stored) = stored else {
            let mine = LeaseDoc { id: self.name.to_owned(), holder: self.me, beat: 1 };
            let taken = self.table.insert(deadline, "lease", mine).await? == Inserted::New;
            return Ok(self.noted(taken, begun));
        };
        if stored.holder != self.me && !self.is_silent(&stored) {
            return Ok(false);
        }
        let same = doc! { "_id": self.name, "holder": stored.holder, "beat": stored.beat };
        let taken =
            self.table.change(deadline, "lease", same, doc! { "$set": { "holder": self.me }, "$inc": { "beat": 1 } });
        let taken = taken.await?;
        Ok(self.noted(taken, begun))
    }

    fn noted(&mut self, taken: bool, begun: Instant) -> bool {
        if taken {
            self.renewed = begun;
            self.seen = None;
        }
        taken
    }

    /// Whether another's lease has not moved for [`EXPIRY`].
    fn is_silent(&mut self, stored: &LeaseDoc) -> bool {
        match &self.seen {
            Some((seen, since)) if seen == stored => since.elapsed() >= EXPIRY,
            _ => {
                self.seen = Some((stored.clone(), Instant::now()));
                false
            }
        }
    }
}
