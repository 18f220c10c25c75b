//! How a batch is handled until each of its messages is done or dead: the same on every bus.
//!
//! `Retry` is tried again in place with a growing pause and without limit: an outage must not dead-letter good messages,
//! and while it lasts nothing more is read. A panic is tried again one message at a time, so that it costs only the
//! message that causes it, and only after the fifth time.

use std::{
    panic::AssertUnwindSafe,
    time::{Duration, Instant},
};

use backon::{BackoffBuilder, ExponentialBuilder};
use futures_util::FutureExt;

use super::{bus::Subscription, handler::Outcome, message::Message};

/// A message whose handling panicked so often is dead.
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
        /// How often it was tried.
        attempts: u32,
    },
}

/// Handles a batch to its end; one verdict per message, in order. Dropping the future abandons what is not done yet, so
/// the caller must not have acknowledged it.
pub async fn process_with_retry(subscription: &Subscription, batch: &[Message]) -> Vec<Verdict> {
    let mut verdicts: Vec<Option<Verdict>> = vec![None; batch.len()];
    let mut open: Vec<usize> = (0..batch.len()).collect();
    let mut pauses = pauses();
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
        let mut again = Vec::new();
        let mut cause = None;
        for (at, outcome) in open.into_iter().zip(outcomes) {
            match conclude(subscription, &batch[at], outcome, attempts) {
                Ok(verdict) => verdicts[at] = Some(verdict),
                Err(reason) => {
                    again.push(at);
                    cause = Some(reason);
                }
            }
        }
        open = again;
        if let Some(cause) = cause {
            pause(subscription, attempts, &cause, &mut pauses).await;
        } else if attempts > 1 {
            tracing::info!(queue = subscription.queue, "messages are handled again");
        }
    }
    verdicts.into_iter().map(|verdict| verdict.expect("every message was settled above")).collect()
}

/// The way of a batch in which something panicked: each message by itself.
async fn process_one_with_retry(subscription: &Subscription, message: &Message) -> Verdict {
    let (mut attempts, mut panics) = (0, 0);
    let mut pauses = pauses();
    loop {
        attempts += 1;
        let cause = match attempt(subscription, std::slice::from_ref(message)).await {
            Some(outcomes) => {
                let outcome = outcomes.into_iter().next().expect("attempt() has compared the lengths");
                match conclude(subscription, message, outcome, attempts) {
                    Ok(verdict) => return verdict,
                    Err(cause) => cause,
                }
            }
            None => {
                panics += 1;
                if panics == PANICS_MAX {
                    let cause = format!("the handler panicked {PANICS_MAX} times");
                    return dead(subscription, message, cause, attempts);
                }
                "the handler panicked".to_owned()
            }
        };
        pause(subscription, attempts, &cause, &mut pauses).await;
    }
}

/// One call of the handler; `None` where it panicked or broke its promise of one answer per message.
async fn attempt(subscription: &Subscription, messages: &[Message]) -> Option<Vec<Outcome>> {
    let began = Instant::now();
    let outcomes = AssertUnwindSafe(subscription.handler.handle(messages)).catch_unwind().await;
    let seconds = began.elapsed().as_secs_f64();
    messages.iter().for_each(|message| subscription.metrics.took(message, seconds));
    outcomes.ok().filter(|outcomes| outcomes.len() == messages.len())
}

/// A message's end, or why it must be tried again.
fn conclude(
    subscription: &Subscription,
    message: &Message,
    outcome: Outcome,
    attempts: u32,
) -> Result<Verdict, String> {
    match outcome {
        Outcome::Done(effect) => {
            subscription.metrics.done(message, effect);
            Ok(Verdict::Done)
        }
        Outcome::Reject(cause) => Ok(dead(subscription, message, cause, attempts)),
        Outcome::Retry(cause) => {
            subscription.metrics.requeued(message);
            Err(cause)
        }
    }
}

fn dead(subscription: &Subscription, message: &Message, cause: String, attempts: u32) -> Verdict {
    subscription.metrics.rejected(message);
    let (queue, id, name) = (subscription.queue, message.id, message.name.as_str());
    tracing::error!(queue, %id, kind = name, attempts, "a message goes to the dead letters: {cause}");
    Verdict::Dead { cause, attempts }
}

/// From 50 ms, doubling to 5 s, then every 5 s, with jitter, so that replicas do not come back in step.
fn pauses() -> impl Iterator<Item = Duration> + Send {
    let first = Duration::from_millis(50);
    let last = Duration::from_secs(5);
    let pauses = ExponentialBuilder::default().with_min_delay(first).with_max_delay(last).with_jitter();
    pauses.without_max_times().build()
}

async fn pause(
    subscription: &Subscription,
    attempts: u32,
    cause: &str,
    pauses: &mut (impl Iterator<Item = Duration> + Send),
) {
    if attempts == 1 {
        tracing::warn!(queue = subscription.queue, "messages wait and are tried again: {cause}");
    }
    tokio::time::sleep(pauses.next().expect("it goes on for ever")).await;
}
