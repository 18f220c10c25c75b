//! Publishes what is committed, and forgets it only after the confirm.
//!
//! It is woken by each commit and looks by itself twice a second besides. [`Relay::round`] is one step; tests call it
//! instead of sleeping.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use process::fail_point::fail_point;
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::{Outbox, OutboxError, metrics::RelayMetrics, told::Told, waiting::Waiting};
use crate::{
    bus::{Bus, PublishError, Published},
    message::Entry,
    metrics::PublishMetrics,
};

/// Entries of one round.
const BATCH: usize = 512;

/// Looks for entries that nobody woke it for: those that waited, and those of a process that died.
const GLANCE: Duration = Duration::from_millis(500);

/// Publishes the entries of one outbox on one bus.
pub struct Relay {
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn Bus>,
    wake: Arc<Notify>,
    metrics: RelayMetrics,
    published: PublishMetrics,
    waiting: Waiting,
}

/// What one round did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Round {
    /// There was nothing that could be published now.
    Idle,
    /// So many entries were confirmed.
    Sent(usize),
    /// The bus is away.
    Away,
}

impl Relay {
    /// `wake` is notified by the store after each commit with messages in it.
    pub fn new(
        outbox: Arc<dyn Outbox>,
        bus: Arc<dyn Bus>,
        wake: Arc<Notify>,
        metrics: RelayMetrics,
        published: PublishMetrics,
    ) -> Self {
        Self { outbox, bus, wake, metrics, published, waiting: Waiting::default() }
    }

    /// Publishes until `stop` is cancelled, then flushes what is left, but no longer than `flush`, and gives up the bus.
    pub async fn run(mut self, stop: CancellationToken, flush: Duration) {
        let stopped = stop.run_until_cancelled(self.publish_for_ever()).await;
        debug_assert!(stopped.is_none(), "it only ends by being stopped");
        if tokio::time::timeout(flush, self.drain()).await.is_err() {
            tracing::warn!("the outbox was not emptied in time; what may be left goes out at the next start");
        }
        self.metrics.active(false);
        self.bus.close().await;
    }

    async fn publish_for_ever(&mut self) {
        let mut told = Told::default();
        loop {
            let round = self.round().await;
            told.tell(&round);
            match round {
                Ok(Round::Sent(_)) => {}
                Ok(Round::Idle) => {
                    let _ = tokio::time::timeout(GLANCE, self.wake.notified()).await;
                }
                Ok(Round::Away) | Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// Publishes until nothing is left that could be published.
    pub async fn drain(&mut self) {
        loop {
            match self.round().await {
                Ok(Round::Idle) => return,
                Ok(Round::Sent(_)) => {}
                Ok(Round::Away) | Err(_) => tokio::time::sleep(GLANCE).await,
            }
        }
    }

    /// One step: takes a batch, publishes it, forgets what was confirmed.
    pub async fn round(&mut self) -> Result<Round, OutboxError> {
        let began = Instant::now();
        self.metrics.active(self.outbox.is_leader());
        // Those that wait are still in the outbox and would fill the batch: ask for as many more.
        let mut batch = self.outbox.pending(BATCH + self.waiting.len()).await?;
        batch.retain(|entry| self.waiting.is_due(entry.message.id, began));
        batch.truncate(BATCH);
        self.waiting.forget_old(began);
        if batch.is_empty() {
            return Ok(Round::Idle);
        }
        fail_point("relay.read");
        let fates = self.bus.publish(&batch).await;
        fail_point("relay.published");
        self.published.took(began.elapsed().as_secs_f64());
        let round = self.conclude(&batch, fates).await;
        self.metrics.round(began.elapsed().as_secs_f64());
        round
    }

    async fn conclude(&mut self, batch: &[Entry], fates: Vec<Published>) -> Result<Round, OutboxError> {
        let (mut sent, mut away, now) = (Vec::new(), false, Instant::now());
        let taken = batch.iter().zip(&fates).filter(|(_, fate)| fate.is_ok());
        self.waiting.taken(&taken.map(|(entry, _)| entry.message.name.as_str()).collect(), now);
        for (entry, fate) in batch.iter().zip(fates) {
            let id = entry.message.id;
            self.published.published(&entry.message.name, &fate);
            match fate {
                Ok(()) => sent.push(id),
                Err(PublishError::Dead { queue, cause, attempts }) => {
                    self.waiting.remove(id);
                    self.outbox.dead_letter(id, &queue, &cause, attempts).await?;
                }
                Err(cause) => {
                    self.metrics.retried();
                    away |= !cause.is_about_the_message();
                    if cause.is_about_the_message() {
                        self.waiting.add(entry, &cause, now);
                    }
                }
            }
        }
        self.outbox.mark_published(&sent).await?;
        fail_point("relay.forgotten");
        for id in &sent {
            self.waiting.remove(*id);
        }
        self.metrics.sent(sent.len());
        Ok(if away { Round::Away } else { Round::Sent(sent.len()) })
    }
}
