//! What this service tells of, told again: how the seats of its events are.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, SeatsChanged};
use platform::{
    http::page::Cursor,
    messaging::Entry,
    outbox::{OutboxError, resync},
};

use crate::{domain::EventOnSale, store::Store};

/// The seats of all events.
pub(crate) struct State(pub(crate) Arc<dyn Store>);

#[async_trait]
impl resync::State for State {
    async fn page(&self, after: Option<Cursor>, max: usize) -> Result<Vec<(Cursor, Entry)>, OutboxError> {
        let events = self.0.events(after.map(|place| place.id), max).await;
        let events = events.map_err(|_| OutboxError("the events cannot be read".into()))?;
        let told = |event: EventOnSale| {
            let EventOnSale { id: event_id, seats_left, booked_seats, version, .. } = event;
            let seats = SeatsChanged { event_id, seats_left, booked_seats, version };
            let entry = Entry::new(SeatsChanged::NAME, SeatsChanged::MANDATORY, seats.to_json(), None);
            (Cursor { number: 0, id: event_id }, entry)
        };
        Ok(events.into_iter().map(told).collect())
    }
}
