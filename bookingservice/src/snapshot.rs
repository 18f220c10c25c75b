//! What this service tells of, told again: how the seats of its events are.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, SeatsChanged};
use messaging::{
    Entry,
    outbox::{OutboxError, resync},
};
use paging::Cursor;

use crate::{domain::EventOnSale, store::Store};

/// The seats of all events.
pub(crate) struct SeatsSnapshot(pub(crate) Arc<dyn Store>);

#[async_trait]
impl resync::Snapshot for SeatsSnapshot {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(after.map(|place| place.id), max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let told = |event: EventOnSale| {
            let seats = event.seats_changed().to_json();
            let entry = Entry::new(SeatsChanged::NAME, SeatsChanged::MANDATORY, seats, None);
            (Cursor { number: 0, id: event.id }, entry)
        };
        Ok(events.into_iter().map(told).collect())
    }
}
