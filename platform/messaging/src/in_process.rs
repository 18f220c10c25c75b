//! The bus of `myevents`: both services are in one process, so a message is delivered by a call.
//!
//! It stores nothing. *Confirmed* means that every subscriber has handled the message. Until then it is in the publisher's
//! outbox, which survives a kill. Dead letters are kept in the publisher's outbox, too.

use std::sync::{PoisonError, RwLock};

use async_trait::async_trait;

use crate::{
    bus::{Bus, Subscription},
    message::{Entry, PublishError, Published},
    process_with_retry::{Verdict, process_with_retry},
};

/// Delivers messages within a process.
#[derive(Default)]
pub struct InProcessBus {
    subscriptions: RwLock<Vec<Subscription>>,
}

impl InProcessBus {
    /// A bus without subscribers.
    pub fn new() -> Self {
        Self::default()
    }

    fn subscriptions(&self) -> Vec<Subscription> {
        self.subscriptions.read().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[async_trait]
impl Bus for InProcessBus {
    async fn publish(&self, batch: &[Entry]) -> Vec<Published> {
        let subscriptions = self.subscriptions();
        let mut results: Vec<Published> = batch.iter().map(|entry| routed(entry, &subscriptions)).collect();
        for subscription in &subscriptions {
            let positions: Vec<usize> = (0..batch.len()).filter(|&at| reads(subscription, &batch[at])).collect();
            let messages: Vec<_> = positions.iter().map(|&at| batch[at].message.clone()).collect();
            for (at, verdict) in positions.into_iter().zip(process_with_retry(subscription, &messages).await) {
                if let Verdict::Dead { cause, attempts } = verdict {
                    results[at] = Err(PublishError::Dead { queue: subscription.queue.to_owned(), cause, attempts });
                }
            }
        }
        results
    }

    async fn subscribe(&self, subscription: Subscription) {
        self.subscriptions.write().unwrap_or_else(PoisonError::into_inner).push(subscription);
    }

    fn dead_letter_queues(&self, published: &[&str]) -> Vec<&'static str> {
        let readers = self.subscriptions().into_iter().filter(|s| s.names.iter().any(|name| published.contains(name)));
        readers.map(|subscription| subscription.queue).collect()
    }

    fn state(&self) -> Result<String, String> {
        Ok("in this process".into())
    }
}

/// A mandatory message without a subscriber is returned, as a broker does it.
fn routed(entry: &Entry, subscriptions: &[Subscription]) -> Published {
    let read = subscriptions.iter().any(|subscription| reads(subscription, entry));
    if read || !entry.mandatory { Ok(()) } else { Err(PublishError::Returned) }
}

fn reads(subscription: &Subscription, entry: &Entry) -> bool {
    subscription.names.contains(&entry.message.name.as_str())
}
