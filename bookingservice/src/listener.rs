//! Applies messages about new events. An event is added if it is not there yet, and never changed: the handler is idempotent.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventCreated, ResyncRequested};
use messaging::{Handler, Message, Outcome};
use process::fail_point::fail_point;

use crate::store::Store;

/// The queue of this service.
pub const QUEUE: &str = "bookingservice";

/// The messages it is bound to. `ResyncHandler` handles the last one before it would come here.
pub const READS: &[&str] = &[EventCreated::NAME, ResyncRequested::NAME];

/// Handles the messages of the queue.
pub struct Listener {
    /// It has the events.
    pub store: Arc<dyn Store>,
}

#[async_trait]
impl Handler for Listener {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let parsed: Vec<Result<EventCreated, String>> = batch.iter().map(parse).collect();
        let events = parsed.iter().filter_map(|event| event.as_ref().ok()).cloned().collect();
        fail_point("listener.event.received");
        let stored = self.store.add_events(events).await;
        fail_point("listener.event.stored");
        let mut effects = stored.as_ref().map_or(&[][..], Vec::as_slice).iter();
        let outcome = |event: Result<EventCreated, String>| match (event, &stored) {
            (Err(cause), _) => Outcome::Reject(cause),
            (Ok(_), Err(_)) => Outcome::Retry("the store is away".into()),
            (Ok(_), Ok(_)) => Outcome::Done(*effects.next().expect("the store answers for each event")),
        };
        parsed.into_iter().map(outcome).collect()
    }
}

fn parse(message: &Message) -> Result<EventCreated, String> {
    if message.name != EventCreated::NAME {
        return Err(format!("{QUEUE} does not read messages of type {:?}", message.name));
    }
    EventCreated::from_json(&message.body).map_err(|cause| format!("not an {}: {cause}", EventCreated::NAME))
}
