//! What the services exchange: the six message types, their names, the one way to write an instant, and what a text may hold.
//!
//! Both services must agree on this crate byte for byte, so it has nothing else. The exact JSON of each message is in `golden/`, and a
//! test compares. A field is added to a message as an `Option` with `skip_serializing_if`; none is ever renamed or removed.
//!
//! Instants are [`Instant`]s, ids are UUIDs, seats are whole numbers. `version` grows by one with each change of an
//! event's seats: a reader that keeps only the highest one may receive messages twice and in any order.

mod instant;
mod text;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use uuid::Uuid;

pub use instant::{Instant, InstantError};
pub use text::readable;

/// A message type: its name on the wire, and whether a queue must be there for it.
pub trait Contract: Serialize + DeserializeOwned {
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

/// Published by the event service, read by the booking service: there is something new to book.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventCreated {
    /// The event.
    pub id: Uuid,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Where it takes place, if that is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub location_id: Option<Uuid>,
    /// When it begins.
    pub start_date: Instant,
    /// When it ends; it can be booked until then.
    pub end_date: Instant,
    /// How many seats it has; absent means unlimited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<u64>,
}

/// A hall of a location.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hall {
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// How many people fit in.
    pub capacity: u64,
}

/// Published by the event service. No service reads it yet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LocationCreated {
    /// The location.
    pub id: Uuid,
    /// Its name, 1 to 200 characters.
    pub name: String,
    /// Its postal address.
    pub address: String,
    /// Its country.
    pub country: String,
    /// Its halls, at most 100.
    pub halls: Vec<Hall>,
}

/// Published by the booking service, read by the event service: seats were booked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EventBooked {
    /// The booking.
    pub booking_id: Uuid,
    /// What was booked.
    pub event_id: Uuid,
    /// Who booked.
    pub user_id: String,
    /// How many seats, 1 to 100.
    pub seats: u64,
    /// When it was booked.
    pub booked_at: Instant,
    /// Seats left after this booking; absent where there is no capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_left: Option<u64>,
    /// Seats of all confirmed bookings after this one.
    pub booked_seats: u64,
    /// The event's version after this booking.
    pub version: u64,
}

/// Published by the booking service. No service reads it yet. The new number of seats is in [`SeatsChanged`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct BookingCancelled {
    /// The booking.
    pub booking_id: Uuid,
    /// What had been booked.
    pub event_id: Uuid,
    /// Who had booked.
    pub user_id: String,
    /// How many seats came back.
    pub seats: u64,
    /// When it was cancelled.
    pub cancelled_at: Instant,
}

/// Published by the booking service, read by the event service: seats came back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SeatsChanged {
    /// The event.
    pub event_id: Uuid,
    /// Seats left now; absent where there is no capacity.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seats_left: Option<u64>,
    /// Seats of all confirmed bookings now.
    pub booked_seats: u64,
    /// The event's version now.
    pub version: u64,
}

/// Published by each service, read by all others: a request to publish again, as a snapshot, everything that the queue `queue` reads. The
/// queue was lost and is new, so what had been published before is not in it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResyncRequested {
    /// The queue that is new.
    pub queue: String,
}

impl Contract for EventCreated {
    const NAME: &'static str = "eventCreated";
    const MANDATORY: bool = true;
}

impl Contract for LocationCreated {
    const NAME: &'static str = "locationCreated";
    const MANDATORY: bool = false;
}

impl Contract for EventBooked {
    const NAME: &'static str = "eventBooked";
    const MANDATORY: bool = true;
}

impl Contract for BookingCancelled {
    const NAME: &'static str = "bookingCancelled";
    const MANDATORY: bool = false;
}

impl Contract for SeatsChanged {
    const NAME: &'static str = "seatsChanged";
    const MANDATORY: bool = true;
}

impl Contract for ResyncRequested {
    const NAME: &'static str = "resyncRequested";
    const MANDATORY: bool = false; // who has no queue yet will find its own new, and ask in turn
}
