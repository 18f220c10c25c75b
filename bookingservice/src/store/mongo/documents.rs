//! The documents in the database. Instants are MongoDB's own, with milliseconds; ids are UUIDs; numbers are whole.

use contracts::{EventCreated, Instant};
use messaging::Entry;
use mongo::{id, key, outbox::StoredEntry};
use mongodb::bson::{self, DateTime, Document, doc};
use serde::{Deserialize, Serialize};
use trace::Origin;

use crate::{
    domain::{Booking, BookingRecord, NewBookingRecord, Sale, Seats, SeatsRecord, Status},
    store::entry,
};

pub(super) const EVENTS: &str = "events";
pub(super) const BOOKINGS: &str = "bookings";

/// An event with its seats. Two more fields are there only from the release of seats until their new number is published:
/// `seats_unpublished: true`, and `seats_unpublished_at`, the time of the release, in microseconds since 1970.
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
    /// The requests for a booking or a cancellation that are not complete.
    #[serde(default)]
    pub(super) holds: Vec<Hold>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) seats_unpublished_at: Option<i64>,
}

/// The fields of an event without its holds, which can be many, and which few callers need.
pub(super) fn without_holds() -> Document {
    doc! { "holds": 0 }
}

/// One try of one request for a booking or a cancellation. Any process can complete the request from it.
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
    /// The try that made it.
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
        let SeatsRecord { event_id, event_name, end_date, capacity, left, booked, version } =
            Seats::new(event).record().clone();
        Self {
            id: key(event_id),
            name: event_name,
            end_date: date(end_date),
            capacity,
            seats_left: left,
            booked_seats: booked,
            version,
            holds: Vec::new(),
            seats_unpublished_at: None,
        }
    }
}

impl From<EventDoc> for Seats {
    fn from(event: EventDoc) -> Self {
        Self::stored(SeatsRecord {
            event_id: id(event.id),
            event_name: event.name,
            end_date: instant(event.end_date),
            capacity: event.capacity,
            left: event.seats_left,
            booked: event.booked_seats,
            version: event.version,
        })
    }
}

impl Hold {
    /// What one try of a booking request leaves with the event.
    pub(super) fn to_book(request: &NewBookingRecord, attempt: bson::Uuid) -> Self {
        Self {
            attempt,
            booking: key(request.id),
            user: request.user_id.clone(),
            seats: request.seats,
            at: date(request.at),
            cancel: false,
            traceparent: traceparent(request.origin.as_ref()),
        }
    }

    /// What one try of a cancellation leaves with the event.
    pub(super) fn to_cancel(booking: &BookingDoc, attempt: bson::Uuid, origin: Option<&Origin>) -> Self {
        let (at, user, traceparent) = (DateTime::now(), String::new(), traceparent(origin));
        Self { attempt, booking: booking.id, user, seats: booking.seats, at, cancel: true, traceparent }
    }
}

fn traceparent(origin: Option<&Origin>) -> Option<String> {
    origin.map(|origin| origin.traceparent().to_owned())
}

impl BookingDoc {
    /// The booking that a hold stands for, with its message. The event is as the hold left it, or newer: then the message
    /// says more than this booking did, which its readers take, and the booking comes later in the list.
    pub(super) fn from_hold(event: &EventDoc, hold: &Hold) -> (Self, Entry) {
        let (seats, user) = (Seats::from(event.clone()), hold.user.clone());
        let Sale { booking, message, .. } = seats.sold(id(hold.booking), user, hold.seats, instant(hold.at));
        let entry = entry(&message, hold.traceparent.as_deref());
        let booking = Self {
            id: hold.booking,
            attempt: hold.attempt,
            event: event.id,
            event_name: event.name.clone(),
            seq: booking.record().seq,
            user: hold.user.clone(),
            seats: hold.seats,
            status: booking.record().status,
            at: hold.at,
            cancelled_at: None,
            cancel_attempt: None,
            outbox: vec![StoredEntry::from(&entry)],
        };
        (booking, entry)
    }

    /// The message of its cancellation by a hold; `None` where it is cancelled already.
    pub(super) fn cancellation(&self, hold: &Hold) -> Option<Entry> {
        let message = Booking::from(self.clone()).cancel(instant(hold.at))?;
        Some(entry(&message, hold.traceparent.as_deref()))
    }
}

impl From<BookingDoc> for Booking {
    fn from(booking: BookingDoc) -> Self {
        Self::stored(BookingRecord {
            id: id(booking.id),
            event_id: id(booking.event),
            event_name: booking.event_name,
            user_id: booking.user,
            seats: booking.seats,
            status: booking.status,
            booked_at: instant(booking.at),
            cancelled_at: booking.cancelled_at.map(instant),
            seq: booking.seq,
        })
    }
}

pub(super) fn date(at: Instant) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

/// This service writes only valid instants. Any other one, written by another program, is shown as the year 1970.
fn instant(at: DateTime) -> Instant {
    Instant::from_millis(at.timestamp_millis()).unwrap_or_else(|_| Instant::from_millis(0).expect("1970 is an instant"))
}
