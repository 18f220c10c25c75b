//! The messages of this service: what it publishes, what it reads, and what a resync republishes.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{BookingCancelled, Contract, EventBooked, ResyncRequested, SeatsChanged};
use messaging::{
    Endpoint, Entry,
    outbox::{OutboxError, resync::Snapshot},
};
use paging::Cursor;

use crate::{
    domain::Seats,
    listener::{Listener, QUEUE, READS},
    store::{Store, entry},
};

const PUBLISHES: &[&str] = &[EventBooked::NAME, BookingCancelled::NAME, SeatsChanged::NAME];

/// This service's side of the messaging.
pub(crate) fn endpoint(store: Arc<dyn Store>) -> Endpoint {
    Endpoint {
        queue: QUEUE,
        reads: READS,
        publishes: PUBLISHES,
        handler: Arc::new(Listener { store: store.clone() }),
        snapshot: Arc::new(SeatsSnapshot(store)),
        resync_request,
    }
}

/// Asks others to republish their current state, when this service's queue is new.
fn resync_request() -> Entry {
    entry(&ResyncRequested { queue: QUEUE.to_owned() }, None)
}

/// What a resync republishes: `seatsChanged` of every event.
struct SeatsSnapshot(Arc<dyn Store>);

#[async_trait]
impl Snapshot for SeatsSnapshot {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(after.map(|position| position.id), max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let message =
            |seats: Seats| (Cursor { number: 0, id: seats.record().event_id }, entry(&seats.seats_changed(), None));
        Ok(events.into_iter().map(message).collect())
    }
}
