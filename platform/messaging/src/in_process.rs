//! The bus of `myevents`: both services are one process, so a message is handed over by a call.
//!
//! It keeps nothing. *Confirmed* means that every subscriber has handled the message; until then it stays in the
//! publisher's outbox on disk, and that is what makes it survive a kill. A dead letter has no other place either: the
//! publisher's outbox sets it aside.

use async_trait::async_trait;
use tokio::sync::RwLock;

use super::{
    bus::{Bus, PublishError, Published, Subscription},
    message::Entry,
    process_with_retry::{Verdict, process_with_retry},
};

/// Hands messages from one service to the other within a process.
#[derive(Default)]
pub struct InProcessBus {
    subscriptions: RwLock<Vec<Subscription>>,
}

impl InProcessBus {
    /// A bus without subscribers.
    pub fn new() -> Self {
        Self::default()
    }
}

#[async_trait]
impl Bus for InProcessBus {
    async fn publish(&self, batch: &[Entry]) -> Vec<Published> {
        let subscriptions = self.subscriptions.read().await.clone();
        let mut fates: Vec<Published> = batch.iter().map(|entry| taken(entry, &subscriptions)).collect();
        for subscription in &subscriptions {
            let mine = |entry: &Entry| subscription.names.contains(&entry.message.name.as_str());
            let (places, messages): (Vec<usize>, Vec<_>) = batch
                .iter()
                .enumerate()
                .filter(|(_, entry)| mine(entry))
                .map(|(place, entry)| (place, entry.message.clone()))
                .unzip();
            for (place, verdict) in places.into_iter().zip(process_with_retry(subscription, &messages).await) {
                if let Verdict::Dead { cause, attempts } = verdict {
                    let queue = subscription.queue.to_owned();
                    fates[place] = Err(PublishError::Dead { queue, cause, attempts });
                }
            }
        }
        fates
    }

    async fn subscribe(&self, subscription: Subscription) {
        self.subscriptions.write().await.push(subscription);
    }

    fn state(&self) -> Result<String, String> {
        Ok("in this process".into())
    }
}

/// A mandatory message that nobody reads comes back, as a broker would send it.
fn taken(entry: &Entry, subscriptions: &[Subscription]) -> Published {
    let read = subscriptions.iter().any(|s| s.names.contains(&entry.message.name.as_str()));
    if read || !entry.mandatory { Ok(()) } else { Err(PublishError::Returned) }
}
