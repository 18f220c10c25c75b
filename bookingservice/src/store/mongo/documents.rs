//! What lies in the database. Instants are MongoDB's own, with milliseconds; ids are UUIDs; numbers are whole.

use contracts::{BookingCancelled, Contract, EventBooked, EventCreated, Instant};
use mongodb::bson::{self, DateTime};
use platform::{
    messaging::Entry,
    mongo::{id, key, outbox::StoredEntry},
};
use serde::{Deserialize, Serialize};

use crate::{
    domain::{Booking, EventOnSale, NewBooking, Status},
    store::schema::UNLIMITED,
};

pub(super) const EVENTS: &str = "events";
pub(super) const BOOKINGS: &str = "bookings";

/// An event with its seats. Two more fields are there only for a moment: `untold: true` while its seats came back and
/// nobody was told, and `untold_at`, since when, in microseconds.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EventDoc {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    pub(super) name: String,
    pub(super) end_date: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) capacity: Option<u64>,
    pub(super) seats_left: u64,
    pub(super) booked_seats: u64,
    pub(super) version: u64,
    /// Requests that have taken seats, or want to give some back, and whose booking is not settled yet.
    #[serde(default)]
    pub(super) holds: Vec<Hold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) untold_at: Option<i64>,
}

/// One try of one request. Whoever finds it can finish what it began.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Hold {
    pub(super) attempt: bson::Uuid,
    pub(super) booking: bson::Uuid,
    /// Absent where it cancels.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(super) user: String,
    pub(super) seats: u64,
    pub(super) at: DateTime,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(super) cancel: bool,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) traceparent: Option<String>,
}

/// A booking. It is never deleted.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct BookingDoc {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    /// Whose try it was.
    pub(super) attempt: bson::Uuid,
    pub(super) event: bson::Uuid,
    pub(super) event_name: String,
    pub(super) seq: u64,
    pub(super) user: String,
    pub(super) seats: u64,
    pub(super) status: Status,
    pub(super) at: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancelled_at: Option<DateTime>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) cancel_attempt: Option<bson::Uuid>,
    pub(super) outbox: Vec<StoredEntry>,
}

impl From<EventCreated> for EventDoc {
    fn from(event: EventCreated) -> Self {
        Self {
            id: key(event.id),
            name: event.name,
            end_date: date(event.end_date),
            capacity: event.capacity,
            seats_left: event.capacity.unwrap_or(UNLIMITED),
            booked_seats: 0,
            version: 0,
            holds: Vec::new(),
            untold_at: None,
        }
    }
}

impl EventDoc {
    /// What may be shown of the seats that are left.
    pub(super) fn seats_left(&self) -> Option<u64> {
        self.capacity.map(|_| self.seats_left)
    }
}

impl From<EventDoc> for EventOnSale {
    fn from(event: EventDoc) -> Self {
        let seats_left = event.seats_left();
        let EventDoc { name, capacity, booked_seats, version, .. } = event;
        Self { id: id(event.id), name, capacity, seats_left, booked_seats, version }
    }
}

impl Hold {
    /// What one try of a booking request leaves with the event.
    pub(super) fn of(request: &NewBooking, attempt: bson::Uuid) -> Self {
        Self {
            attempt,
            booking: key(request.id),
            user: request.user_id.clone(),
            seats: request.seats,
            at: date(request.at),
            cancel: false,
            traceparent: request.traceparent.clone(),
        }
    }

    /// What one try of a cancellation leaves with the event.
    pub(super) fn to_cancel(booking: &BookingDoc, attempt: bson::Uuid) -> Self {
        let (at, user, traceparent) = (DateTime::now(), String::new(), None);
        Self { attempt, booking: booking.id, user, seats: booking.seats, at, cancel: true, traceparent }
    }
}

impl BookingDoc {
    /// The booking that a hold stands for, with its message. The event is as the hold left it, or newer: then the message
    /// says more than this booking did, which its readers take, and the booking comes later in the list.
    pub(super) fn from_hold(event: &EventDoc, hold: &Hold) -> (Self, Entry) {
        let message = EventBooked {
            booking_id: id(hold.booking),
            event_id: id(event.id),
            user_id: hold.user.clone(),
            seats: hold.seats,
            booked_at: instant(hold.at),
            seats_left: event.seats_left(),
            booked_seats: event.booked_seats,
            version: event.version,
        };
        let entry = entry(&message, hold.traceparent.clone());
        let booking = Self {
            id: hold.booking,
            attempt: hold.attempt,
            event: event.id,
            event_name: event.name.clone(),
            seq: event.version,
            user: hold.user.clone(),
            seats: hold.seats,
            status: Status::Confirmed,
            at: hold.at,
            cancelled_at: None,
            cancel_attempt: None,
            outbox: vec![StoredEntry::from(&entry)],
        };
        (booking, entry)
    }

    /// The message of its cancellation.
    pub(super) fn cancelled(&self, at: DateTime) -> Entry {
        let message = BookingCancelled {
            booking_id: id(self.id),
            event_id: id(self.event),
            user_id: self.user.clone(),
            seats: self.seats,
            cancelled_at: instant(at),
        };
        entry(&message, None)
    }
}

impl From<BookingDoc> for Booking {
    fn from(booking: BookingDoc) -> Self {
        Self {
            id: id(booking.id),
            event_id: id(booking.event),
            event_name: booking.event_name,
            user_id: booking.user,
            seats: booking.seats,
            status: booking.status,
            booked_at: instant(booking.at),
            cancelled_at: booking.cancelled_at.map(instant),
            seq: booking.seq,
        }
    }
}

fn entry<M: Contract>(message: &M, traceparent: Option<String>) -> Entry {
    Entry::new(M::NAME, M::MANDATORY, message.to_json(), traceparent)
}

pub(super) fn date(at: Instant) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

/// Only instants are written; what somebody else wrote there is shown as the year 1970.
fn instant(at: DateTime) -> Instant {
    Instant::from_millis(at.timestamp_millis()).unwrap_or_else(|_| Instant::from_millis(0).expect("1970 is an instant"))
}
