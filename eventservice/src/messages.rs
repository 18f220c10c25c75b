//! The messages of this service: what it publishes, what it reads, and what a resync republishes.

use std::sync::Arc;

use contracts::{Contract, EventCreated, LocationCreated, ResyncRequested};
use messaging::{Endpoint, Entry};

use crate::{
    listener::{Listener, QUEUE, READS},
    snapshot::EventsSnapshot,
    store::Store,
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
    let request = ResyncRequested { queue: QUEUE.to_owned() };
    Entry::new(ResyncRequested::NAME, ResyncRequested::MANDATORY, request.to_json(), None)
}
