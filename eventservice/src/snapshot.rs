//! The current state as messages, which a resync republishes: `eventCreated` of every event. No service reads of locations.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventCreated};
use messaging::{
    Entry,
    outbox::{OutboxError, resync},
};
use paging::Cursor;

use crate::{
    domain::Event,
    store::{Filter, Store},
};

/// All events.
pub(crate) struct EventsSnapshot(pub(crate) Arc<dyn Store>);

#[async_trait]
impl resync::Snapshot for EventsSnapshot {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(Filter::default(), after, max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let message = |event: Event| {
            let position = Cursor { number: event.record().start_date.as_millis(), id: event.id() };
            (position, Entry::new(EventCreated::NAME, EventCreated::MANDATORY, event.created().to_json(), None))
        };
        Ok(events.into_iter().map(message).collect())
    }
}
