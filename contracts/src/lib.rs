//! What the services exchange: the message types, their names, and the one way to write an instant.
//!
//! Both services must agree on this crate byte for byte, so it has nothing else. The exact JSON of each message is in `golden/`, and a
//! test compares. Read on: [`messages`](EventBooked), then [`Instant`].

mod instant;
mod messages;

pub use instant::{Instant, InstantError};
pub use messages::{BookingCancelled, EventBooked, EventCreated, Hall, LocationCreated, ResyncRequested, SeatsChanged};

/// A message type: its name on the wire, and whether a queue must be there for it.
pub trait Contract: serde::Serialize + serde::de::DeserializeOwned {
    /// The routing key and the header `x-event-name`.
    const NAME: &'static str;

    /// True where a service reads it: a broker that has no queue for it must hand it back instead of dropping it.
    const MANDATORY: bool;

    /// The JSON body.
    fn to_json(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("a message has only string keys and finite numbers")
    }

    /// Reads a JSON body. Unknown fields are ignored, so that a newer publisher can add some.
    fn from_json(body: &[u8]) -> Result<Self, serde_json::Error> {
        serde_json::from_slice(body)
    }
}

/// Every message name, for label sets that must exist before the first message.
pub const NAMES: [&str; 6] = [
    EventCreated::NAME,
    LocationCreated::NAME,
    EventBooked::NAME,
    BookingCancelled::NAME,
    SeatsChanged::NAME,
    ResyncRequested::NAME,
];
