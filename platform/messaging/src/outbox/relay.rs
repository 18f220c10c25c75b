//! The relay of the outbox: publishes what is committed, and deletes an entry only after its confirm.
//!
//! Each commit wakes it, and it polls twice a second. [`Relay::round`] is one step: tests call it instead of waiting. Its
//! log has one line for each change ([`RelayLog`]). Read next: `waiting.rs`, the entries that are retried later.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use process::{fail_point::fail_point, log_on_change::LogOnChange};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trace::Stories;

use crate::{
    bus::Bus,
    message::{Entry, PublishError, Published},
    metrics::RelayMetrics,
    outbox::{Outbox, OutboxError, Round, waiting::Waiting},
};

/// The most entries of one round.
const BATCH_MAX: usize = 512;

/// It polls for entries whose commit did not wake it: those that are retried, and those of a process that died.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// Publishes the entries of one outbox on one bus.
pub struct Relay {
    outbox: Arc<dyn Outbox>,
    bus: Arc<dyn Bus>,
    wake: Arc<Notify>,
    metrics: RelayMetrics,
    stories: Stories,
    waiting: Waiting,
}

impl Relay {
    /// `wake` is notified by the store after each commit with messages in it.
    pub fn new(
        outbox: Arc<dyn Outbox>,
        bus: Arc<dyn Bus>,
        wake: Arc<Notify>,
        metrics: RelayMetrics,
        stories: Stories,
    ) -> Self {
        Self { outbox, bus, wake, metrics, stories, waiting: Waiting::default() }
    }

    /// Publishes until `stop` is cancelled, then publishes what is left, for at most `flush`, and closes the bus.
    pub async fn run(mut self, stop: CancellationToken, flush: Duration) {
        let stopped = stop.run_until_cancelled(self.publish_until_cancelled()).await;
        debug_assert!(stopped.is_none(), "it only ends by being stopped");
        if tokio::time::timeout(flush, self.drain()).await.is_err() {
            tracing::warn!("the outbox was not emptied in time; what may be left goes out at the next start");
        }
        self.metrics.active.set(0.0);
        self.bus.close().await;
    }

    async fn publish_until_cancelled(&mut self) {
        let mut log = RelayLog::new();
        loop {
            let round = self.round().await;
            log.round(&round);
            match round {
                Ok(Round::Published(_)) => {}
                Ok(Round::Idle) => {
                    let _ = tokio::time::timeout(POLL_INTERVAL, self.wake.notified()).await;
                }
                Ok(Round::Away) | Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// Publishes until nothing is left that could be published.
    pub async fn drain(&mut self) {
        loop {
            match self.round().await {
                Ok(Round::Idle) => return,
                Ok(Round::Published(_)) => {}
                Ok(Round::Away) | Err(_) => tokio::time::sleep(POLL_INTERVAL).await,
            }
        }
    }

    /// One step: reads a batch, publishes it, deletes what was confirmed.
    pub async fn round(&mut self) -> Result<Round, OutboxError> {
        let began = Instant::now();
        self.metrics.active.set(f64::from(self.outbox.is_leader()));
        // Entries that wait for a retry are still in the outbox and would fill the batch: ask for as many more.
        let mut batch = self.outbox.pending(BATCH_MAX + self.waiting.len()).await?;
        batch.retain(|entry| self.waiting.is_due(entry.message.id, began));
        batch.truncate(BATCH_MAX);
        self.waiting.forget_old(began);
        if batch.is_empty() {
            return Ok(Round::Idle);
        }
        fail_point("relay.read");
        self.stories.published(batch.iter().map(|entry| entry.message.told()));
        let results = self.bus.publish(&batch).await;
        fail_point("relay.published");
        let confirmed = batch.iter().zip(&results).filter(|(_, result)| result.is_ok());
        self.stories.confirmed(confirmed.map(|(entry, _)| entry.message.told()));
        let trace = batch.iter().find_map(|entry| entry.message.trace_id()); // of a batch the first stands for all
        self.metrics.publish_seconds.observe_with_exemplar(began.elapsed().as_secs_f64(), trace);
        let round = self.record(&batch, results).await;
        self.metrics.round_seconds.observe(began.elapsed().as_secs_f64());
        round
    }

    async fn record(&mut self, batch: &[Entry], results: Vec<Published>) -> Result<Round, OutboxError> {
        let (mut published, mut away, now) = (Vec::new(), false, Instant::now());
        let accepted = batch.iter().zip(&results).filter(|(_, result)| result.is_ok());
        self.waiting.accepted(&accepted.map(|(entry, _)| entry.message.name.as_str()).collect(), now);
        for (entry, result) in batch.iter().zip(results) {
            let id = entry.message.id;
            self.metrics.published(&entry.message.name, &result);
            match result {
                Ok(()) => published.push(id),
                Err(PublishError::Dead { queue, cause, attempts }) => {
                    self.waiting.remove(id);
                    self.outbox.dead_letter(id, &queue, &cause, attempts).await?;
                }
                Err(cause) => {
                    self.metrics.dispatched.with_label_values(&["retry"]).inc();
                    if cause.is_about_the_message() {
                        self.waiting.add(entry, &cause, now);
                    } else {
                        away = true;
                    }
                }
            }
        }
        self.outbox.mark_published(&published).await?;
        fail_point("relay.marked_published");
        for id in &published {
            self.waiting.remove(*id);
        }
        self.metrics.dispatched.with_label_values(&["ok"]).inc_by(published.len() as u64);
        Ok(if away { Round::Away } else { Round::Published(published.len()) })
    }
}

/// Whether the outbox and the bus work, as it was logged last.
#[derive(Debug)]
pub(super) struct RelayLog {
    outbox: LogOnChange<bool>,
    bus: LogOnChange<bool>,
}

/// A line for the log.
#[derive(Debug, PartialEq, Eq)]
enum Line {
    OutboxFails,
    OutboxWorks,
    BusAway,
    Published,
}

impl RelayLog {
    pub(super) fn new() -> Self {
        Self { outbox: LogOnChange::working(), bus: LogOnChange::working() }
    }

    pub(super) fn round(&mut self, round: &Result<Round, OutboxError>) {
        let cause = round.as_ref().err().map(ToString::to_string).unwrap_or_default();
        match self.change(round) {
            Some(Line::OutboxFails) => tracing::warn!("the outbox does not work, messages wait in it: {cause}"),
            Some(Line::OutboxWorks) => tracing::info!("the outbox works again"),
            Some(Line::BusAway) => tracing::warn!("messages cannot be published, they wait in the outbox"),
            Some(Line::Published) => tracing::info!("messages are published again"),
            None => {}
        }
    }

    fn change(&mut self, round: &Result<Round, OutboxError>) -> Option<Line> {
        let Ok(round) = round else {
            return self.outbox.fails().then_some(Line::OutboxFails);
        };
        let outbox_works_again = self.outbox.works_after(Duration::ZERO);
        match round {
            Round::Away if self.bus.fails() => Some(Line::BusAway),
            Round::Published(1..) if self.bus.works_after(Duration::ZERO) || outbox_works_again => {
                Some(Line::Published)
            }
            Round::Away | Round::Published(_) | Round::Idle => outbox_works_again.then_some(Line::OutboxWorks),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(rounds: &[Result<Round, &str>]) -> Vec<Line> {
        let mut log = RelayLog::new();
        let rounds = rounds.iter().map(|round| round.map_err(|cause| OutboxError(cause.to_owned())));
        rounds.filter_map(|round| log.change(&round)).collect()
    }

    #[test]
    fn a_change_is_logged_once() {
        let (away, published, failed) = (Ok(Round::Away), Ok(Round::Published(3)), Err("lost"));
        assert_eq!(lines(&[published, published, Ok(Round::Idle)]), []);
        assert_eq!(lines(&[away, away, published, published]), [Line::BusAway, Line::Published]);
        assert_eq!(lines(&[failed, failed, published, published]), [Line::OutboxFails, Line::Published]);
        assert_eq!(lines(&[failed, away, published]), [Line::OutboxFails, Line::BusAway, Line::Published]);
        let twice = [away, failed, away, published];
        assert_eq!(lines(&twice), [Line::BusAway, Line::OutboxFails, Line::OutboxWorks, Line::Published]);
    }

    #[test]
    fn that_nothing_waits_says_nothing_about_the_bus() {
        let idle = Ok(Round::Idle);
        assert_eq!(lines(&[Ok(Round::Away), idle, Ok(Round::Published(0)), idle, Ok(Round::Away)]), [Line::BusAway]);
        assert_eq!(lines(&[Err("lost"), idle, idle]), [Line::OutboxFails, Line::OutboxWorks]);
    }
}
