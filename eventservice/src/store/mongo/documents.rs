//! The documents in the database. Instants are MongoDB's own, with milliseconds; ids are UUIDs; numbers are whole.

use contracts::Instant;
use messaging::Entry;
use mongo::{id, key, outbox::StoredEntry};
use mongodb::bson::{self, DateTime};
use serde::{Deserialize, Serialize};
use trace::Origin;

use crate::{
    domain::{Event, EventRecord, HallRecord, Location, LocationRecord},
    store::{entry, search_form},
};

pub(super) const EVENTS: &str = "events";
pub(super) const LOCATIONS: &str = "locations";

/// An event; `booked_seats`, `seats_left` and `version` are of the newest message of the booking service.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct EventDoc {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    name: String,
    /// What the filter compares.
    name_lower: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    location_id: Option<bson::Uuid>,
    start_date: DateTime,
    end_date: DateTime,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    capacity: Option<u64>,
    booked_seats: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    seats_left: Option<u64>,
    version: u64,
    #[serde(default)]
    outbox: Vec<StoredEntry>,
}

/// The part of an event that a message is compared with.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Shown {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    pub(super) version: u64,
}

/// A location.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct LocationDoc {
    #[serde(rename = "_id")]
    pub(super) id: bson::Uuid,
    name: String,
    address: String,
    country: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    open_time: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    close_time: Option<String>,
    halls: Vec<HallRecord>,
    #[serde(default)]
    outbox: Vec<StoredEntry>,
}

impl EventDoc {
    /// The document with the event's message in it, and the message.
    pub(super) fn new(event: &Event, origin: Option<&Origin>) -> (Self, Entry) {
        let entry = entry(&event.created(), origin);
        let EventRecord { id, name, location_id, start_date, end_date, capacity, booked_seats, seats_left } =
            event.record().clone();
        let document = Self {
            id: key(id),
            name_lower: search_form(&name),
            name,
            location_id: location_id.map(key),
            start_date: date(start_date),
            end_date: date(end_date),
            capacity,
            booked_seats,
            seats_left,
            version: 0,
            outbox: vec![StoredEntry::from(&entry)],
        };
        (document, entry)
    }
}

impl From<EventDoc> for Event {
    fn from(event: EventDoc) -> Self {
        Self::stored(EventRecord {
            id: id(event.id),
            name: event.name,
            location_id: event.location_id.map(id),
            start_date: instant(event.start_date),
            end_date: instant(event.end_date),
            capacity: event.capacity,
            booked_seats: event.booked_seats,
            seats_left: event.seats_left,
        })
    }
}

impl LocationDoc {
    /// The document with the location's message in it, and the message.
    pub(super) fn new(location: &Location, origin: Option<&Origin>) -> (Self, Entry) {
        let entry = entry(&location.created(), origin);
        let outbox = vec![StoredEntry::from(&entry)];
        let LocationRecord { id, name, address, country, open_time, close_time, halls } = location.record().clone();
        (Self { id: key(id), name, address, country, open_time, close_time, halls, outbox }, entry)
    }
}

impl From<LocationDoc> for Location {
    fn from(location: LocationDoc) -> Self {
        let LocationDoc { name, address, country, open_time, close_time, halls, .. } = location;
        Self::stored(LocationRecord { id: id(location.id), name, address, country, open_time, close_time, halls })
    }
}

pub(super) fn date(at: Instant) -> DateTime {
    DateTime::from_millis(at.as_millis())
}

/// This service writes only valid instants. Any other one, written by another program, is shown as the year 1970.
fn instant(at: DateTime) -> Instant {
    Instant::from_millis(at.timestamp_millis()).unwrap_or_else(|_| Instant::from_millis(0).expect("1970 is an instant"))
}
