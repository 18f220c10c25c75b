//! The messages of this service: what it publishes, what it reads, and what a resync republishes.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventCreated, LocationCreated, ResyncRequested};
use messaging::{
    Endpoint, Entry,
    outbox::{OutboxError, resync::Snapshot},
};
use paging::Cursor;

use crate::{
    domain::Event,
    listener::{Listener, QUEUE, READS},
    store::{Filter, Store, entry, position},
};

const PUBLISHES: &[&str] = &[EventCreated::NAME, LocationCreated::NAME];

/// This service's side of the messaging.
pub(crate) fn endpoint(store: Arc<dyn Store>) -> Endpoint {
    Endpoint {
        queue: QUEUE,
        reads: READS,
        publishes: PUBLISHES,
        handler: Arc::new(Listener { store: store.clone() }),
        snapshot: Arc::new(EventsSnapshot(store)),
        resync_request,
    }
}

/// Asks others to republish their current state, when this service's queue is new.
fn resync_request() -> Entry {
    entry(&ResyncRequested { queue: QUEUE.to_owned() }, None)
}

/// What a resync republishes: `eventCreated` of every event. No service reads of locations.
struct EventsSnapshot(Arc<dyn Store>);

#[async_trait]
impl Snapshot for EventsSnapshot {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(Filter::default(), after, max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let message = |event: Event| (position(&event), entry(&event.created(), None));
        Ok(events.into_iter().map(message).collect())
    }
}
