//! Handles a batch until each of its messages is done or dead: the same on every bus.
//!
//! `Retry` is retried in place, with exponential backoff and without limit: an outage must not make dead letters of good
//! messages, and nothing more is read meanwhile. After a panic each message of the batch is tried by itself; the one that
//! panics five times is dead. Read next: `outbox/relay.rs`.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBackoff, ExponentialBuilder};
use futures_util::FutureExt;
use process::log_on_change::LogOnChange;
use tracing::field::display;

use crate::{
    bus::Subscription,
    message::{Effect, Message, Outcome},
};

/// After so many panics a message is dead.
pub const PANICS_MAX: u32 = 5;

/// How a message ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Its work is durable.
    Done,
    /// It can never be handled.
    Dead {
        /// Why.
        cause: String,
        /// The number of attempts.
        attempts: u32,
    },
}

/// Handles a batch to its end. One verdict for each message, in order. Dropping the future abandons what is not done yet, so
/// the caller must acknowledge only afterwards.
pub async fn process_with_retry(subscription: &Subscription, batch: &[Message]) -> Vec<Verdict> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.len()];
    let mut open: Vec<usize> = (0..batch.len()).collect();
    let mut backoff = Backoff::new(subscription.queue);
    let mut attempts = 0;
    while !open.is_empty() {
        attempts += 1;
        let messages: Vec<Message> = open.iter().map(|&at| batch[at].clone()).collect();
        let Some(outcomes) = attempt(subscription, &messages).await else {
            for at in std::mem::take(&mut open) {
                verdicts[at] = Some(process_one_with_retry(subscription, &batch[at]).await);
            }
            break;
        };
        let mut cause = None;
        for (at, outcome) in std::mem::take(&mut open).into_iter().zip(outcomes) {
            match verdict(subscription, &batch[at], outcome, attempts) {
                Ok(verdict) => verdicts[at] = Some(verdict),
                Err(reason) => {
                    open.push(at);
                    cause = Some(reason);
                }
            }
        }
        match cause {
            Some(cause) => backoff.wait(&cause).await,
            None => backoff.ended(),
        }
    }
    verdicts.into_iter().map(|verdict| verdict.expect("every message has its verdict")).collect()
}

/// For a batch in which something panicked: one message by itself.
async fn process_one_with_retry(subscription: &Subscription, message: &Message) -> Verdict {
    let (mut attempts, mut panics) = (0, 0);
    let mut backoff = Backoff::new(subscription.queue);
    loop {
        attempts += 1;
        let outcome = match attempt(subscription, std::slice::from_ref(message)).await {
            Some(outcomes) => outcomes.into_iter().next().expect("attempt() has compared the lengths"),
            None => {
                panics += 1;
                if panics < PANICS_MAX {
                    backoff.wait("the handler panicked").await;
                    continue;
                }
                Outcome::Reject(format!("the handler panicked {PANICS_MAX} times"))
            }
        };
        match verdict(subscription, message, outcome, attempts) {
            Ok(verdict) => return verdict,
            Err(cause) => backoff.wait(&cause).await,
        }
    }
}

/// One call of the handler. `None` if it panicked, or did not answer for each message.
async fn attempt(subscription: &Subscription, messages: &[Message]) -> Option<Vec<Outcome>> {
    let began = Instant::now();
    let outcomes = AssertUnwindSafe(subscription.handler.handle(messages)).catch_unwind().await;
    let seconds = began.elapsed().as_secs_f64();
    messages.iter().for_each(|message| subscription.metrics.observe(message, seconds));
    outcomes.ok().filter(|outcomes| outcomes.len() == messages.len())
}

/// The verdict on a message, or why it is retried.
fn verdict(subscription: &Subscription, message: &Message, outcome: Outcome, attempts: u32) -> Result<Verdict, String> {
    subscription.metrics.handled(message, &outcome);
    match outcome {
        Outcome::Done(Effect::Applied) => {
            subscription.stories.applied(message.told());
            Ok(Verdict::Done)
        }
        Outcome::Done(Effect::Duplicate | Effect::Stale) => Ok(Verdict::Done),
        Outcome::Retry(cause) => Err(cause),
        Outcome::Reject(cause) => {
            let (queue, id, name) = (subscription.queue, message.id, message.name.as_str());
            let trace_id = message.trace_id().map(display);
            tracing::error!(queue, %id, kind = name, trace_id, attempts, "a message goes to the dead letters: {cause}");
            Ok(Verdict::Dead { cause, attempts })
        }
    }
}

/// The pauses between two attempts, and the log lines about them.
struct Backoff {
    queue: &'static str,
    pauses: ExponentialBackoff,
    log: LogOnChange<bool>,
}

impl Backoff {
    /// From 50 ms, doubling to 5 s, then every 5 s, with jitter, so that replicas do not retry at the same moment.
    fn new(queue: &'static str) -> Self {
        let (first, last) = (Duration::from_millis(50), Duration::from_secs(5));
        let pauses = ExponentialBuilder::default().with_min_delay(first).with_max_delay(last).with_jitter();
        Self { queue, pauses: pauses.without_max_times().build(), log: LogOnChange::working() }
    }

    async fn wait(&mut self, cause: &str) {
        if self.log.fails() {
            tracing::warn!(queue = self.queue, "messages wait and are tried again: {cause}");
        }
        tokio::time::sleep(self.pauses.next().expect("it has no end")).await;
    }

    fn ended(&mut self) {
        if self.log.works_after(Duration::ZERO) {
            tracing::info!(queue = self.queue, "messages are handled again");
        }
    }
}
