//! Applies messages about booked and released seats. They may come twice and in any order: see `domain/view.rs`.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventBooked, ResyncRequested, SeatsChanged};
use messaging::{Handler, Message, Outcome};
use process::fail_point::fail_point;

use crate::{domain::SeatUpdate, store::Store};

/// The queue of this service.
pub const QUEUE: &str = "eventservice";

/// The messages it is bound to. `ResyncHandler` handles the last one before it would come here.
pub const READS: &[&str] = &[EventBooked::NAME, SeatsChanged::NAME, ResyncRequested::NAME];

/// Handles the messages of the queue.
pub struct Listener {
    /// It has the view.
    pub store: Arc<dyn Store>,
}

#[async_trait]
impl Handler for Listener {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let parsed: Vec<Result<SeatUpdate, String>> = batch.iter().map(parse).collect();
        let updates = parsed.iter().filter_map(|update| update.as_ref().ok()).cloned().collect();
        fail_point("listener.seats.received");
        let stored = self.store.apply(updates).await;
        fail_point("listener.seats.stored");
        let mut effects = stored.as_ref().map_or(&[][..], Vec::as_slice).iter();
        let outcome = |update: Result<SeatUpdate, String>| match (update, &stored) {
            (Err(cause), _) => Outcome::Reject(cause),
            (Ok(_), Err(_)) => Outcome::Retry("the store is away".into()),
            (Ok(update), Ok(_)) => match effects.next().expect("the store answers for each message") {
                Some(effect) => Outcome::Done(*effect),
                None => Outcome::Reject(format!("there is no event {}", update.record().event_id)),
            },
        };
        parsed.into_iter().map(outcome).collect()
    }
}

fn parse(message: &Message) -> Result<SeatUpdate, String> {
    let update = match message.name.as_str() {
        EventBooked::NAME => EventBooked::from_json(&message.body).map(SeatUpdate::from),
        SeatsChanged::NAME => SeatsChanged::from_json(&message.body).map(SeatUpdate::from),
        other => return Err(format!("{QUEUE} does not read messages of type {other:?}")),
    };
    update.map_err(|cause| format!("not an {}: {cause}", message.name))
}
