//! Hears of booked and returned seats. The highest version wins, so messages may come twice and in any order.

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventBooked, ResyncRequested, SeatsChanged};
use platform::{
    fail_point::fail_point,
    messaging::{Handler, Message, Outcome},
};

use crate::store::{Heard, Store};

/// The queue of this service.
pub const QUEUE: &str = "eventservice";

/// What it is bound to; the last is handled before it comes here (`app.rs`).
pub const READS: &[&str] = &[EventBooked::NAME, SeatsChanged::NAME, ResyncRequested::NAME];

/// Handles what the queue brings.
pub struct Listener {
    /// Where the view is kept.
    pub store: Arc<dyn Store>,
}

#[async_trait]
impl Handler for Listener {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let parsed: Vec<Result<Heard, String>> = batch.iter().map(parse).collect();
        let heard = parsed.iter().filter_map(|heard| heard.as_ref().ok()).copied().collect();
        fail_point("listener.seats.received");
        let stored = self.store.hear(heard).await;
        fail_point("listener.seats.stored");
        let mut effects = stored.as_ref().map_or(&[][..], Vec::as_slice).iter();
        let outcome = |heard: Result<Heard, String>| match (heard, &stored) {
            (Err(cause), _) => Outcome::Never(cause),
            (Ok(_), Err(_)) => Outcome::Again("the store is away".into()),
            (Ok(heard), Ok(_)) => match effects.next().expect("the store answers for each message") {
                Some(effect) => Outcome::Done(*effect),
                None => Outcome::Never(format!("there is no event {}", heard.event_id)),
            },
        };
        parsed.into_iter().map(outcome).collect()
    }
}

fn parse(message: &Message) -> Result<Heard, String> {
    let heard = match message.name.as_str() {
        EventBooked::NAME => EventBooked::from_json(&message.body).map(|booked| Heard {
            event_id: booked.event_id,
            seats_left: booked.seats_left,
            booked_seats: booked.booked_seats,
            version: booked.version,
        }),
        SeatsChanged::NAME => SeatsChanged::from_json(&message.body).map(|changed| Heard {
            event_id: changed.event_id,
            seats_left: changed.seats_left,
            booked_seats: changed.booked_seats,
            version: changed.version,
        }),
        other => return Err(format!("{QUEUE} does not read messages of type {other:?}")),
    };
    heard.map_err(|cause| format!("not an {}: {cause}", message.name))
}
