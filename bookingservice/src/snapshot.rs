//! The current state as messages, which a resync republishes: `seatsChanged` of every event.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, SeatsChanged};
use messaging::{
    Entry,
    outbox::{OutboxError, resync},
};
use paging::Cursor;

use crate::{domain::Seats, store::Store};

/// The seats of all events.
pub(crate) struct SeatsSnapshot(pub(crate) Arc<dyn Store>);

#[async_trait]
impl resync::Snapshot for SeatsSnapshot {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(after.map(|position| position.id), max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let entry = |seats: Seats| {
            let message = seats.seats_changed();
            let entry = Entry::new(SeatsChanged::NAME, SeatsChanged::MANDATORY, message.to_json(), None);
            (Cursor { number: 0, id: message.event_id }, entry)
        };
        Ok(events.into_iter().map(entry).collect())
    }
}
