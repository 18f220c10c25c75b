//! The lines of the protocol: each function is one atomic write (or one read), and does nothing else. In which order they
//! are called is in `book.rs`, `cancel.rs` and `janitor.rs`.

use messaging::Entry;
use mongo::{
    Index, Mongo,
    error::{Deadline, MongoError},
    outbox::StoredEntry,
    table::{Inserted, Table},
};
use mongodb::bson::{self, DateTime, Document, doc, serialize_to_bson};

use super::documents::{BOOKINGS, BookingDoc, EVENTS, EventDoc, Hold};

/// Both collections.
pub(super) struct Steps {
    pub(super) events: Table<EventDoc>,
    pub(super) bookings: Table<BookingDoc>,
}

/// An event's holds can be many, and hardly anybody needs them.
pub(super) fn without_holds() -> Document {
    doc! { "holds": 0 }
}

/// What is searched for. Holds and untold events are few, so their indexes leave out all others.
pub(super) fn indexes() -> Vec<Index> {
    vec![
        Index { table: BOOKINGS, keys: doc! { "event": 1, "seq": 1, "_id": 1 }, sparse: false },
        Index { table: EVENTS, keys: doc! { "holds.at": 1 }, sparse: true },
        Index { table: EVENTS, keys: doc! { "untold_at": 1 }, sparse: true },
    ]
}

impl Steps {
    pub(super) fn new(mongo: &Mongo) -> Self {
        Self { events: Table::of(mongo, EVENTS), bookings: Table::of(mongo, BOOKINGS) }
    }

    /// A booking as it is stored.
    pub(super) async fn look(&self, until: Deadline, booking: bson::Uuid) -> Result<Option<BookingDoc>, MongoError> {
        self.bookings.get(until, doc! { "_id": booking }, doc! {}).await
    }

    /// An event with its holds.
    pub(super) async fn event(&self, until: Deadline, event: bson::Uuid) -> Result<Option<EventDoc>, MongoError> {
        self.events.get(until, doc! { "_id": event }, doc! {}).await
    }

    /// Takes the seats, and leaves a hold from which anybody can make the booking. `None` where it cannot be: no event, not
    /// enough seats, over, or there is such a hold.
    pub(super) async fn reserve(
        &self,
        until: Deadline,
        event: bson::Uuid,
        hold: &Hold,
    ) -> Result<Option<EventDoc>, MongoError> {
        let seats = hold.seats.cast_signed();
        let filter = doc! {
            "_id": event,
            "end_date": { "$gt": hold.at },
            "seats_left": { "$gte": seats },
            "holds.booking": { "$ne": hold.booking },
        };
        let update = doc! {
            "$inc": { "seats_left": -seats, "booked_seats": seats, "version": 1_i64 },
            "$push": { "holds": to_bson(hold) },
        };
        self.events.change_and_get(until, "reserve", filter, update, without_holds()).await
    }

    /// Makes the booking and its message.
    pub(super) async fn insert(&self, until: Deadline, booking: BookingDoc) -> Result<Inserted, MongoError> {
        self.bookings.insert(until, "insert", booking).await
    }

    /// Says that a booking shall be cancelled, so that its seats come back whoever dies.
    pub(super) async fn intend(&self, until: Deadline, event: bson::Uuid, hold: &Hold) -> Result<bool, MongoError> {
        let push = doc! { "$push": { "holds": to_bson(hold) } };
        self.events.change(until, "intend", doc! { "_id": event }, push).await
    }

    /// Cancels a booking that is confirmed, and leaves the message. `None` where it is not.
    pub(super) async fn mark(
        &self,
        until: Deadline,
        booking: bson::Uuid,
        attempt: bson::Uuid,
        at: DateTime,
        message: &Entry,
    ) -> Result<Option<BookingDoc>, MongoError> {
        let update = doc! {
            "$set": { "status": "cancelled", "cancelled_at": at, "cancel_attempt": attempt },
            "$push": { "outbox": to_bson(&StoredEntry::from(message)) },
        };
        let filter = doc! { "_id": booking, "status": "confirmed" };
        self.bookings.change_and_get(until, "mark", filter, update, doc! {}).await
    }

    /// Gives the seats of a hold back, once, and notes that nobody was told. `false` where the hold is gone.
    pub(super) async fn give_back(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempt: bson::Uuid,
        seats: u64,
    ) -> Result<bool, MongoError> {
        let seats = seats.cast_signed();
        let now = jiff::Timestamp::now().as_microsecond();
        let update = doc! {
            "$inc": { "seats_left": seats, "booked_seats": -seats, "version": 1_i64 },
            "$set": { "untold": true, "untold_at": now },
            "$pull": { "holds": { "attempt": attempt } },
        };
        self.events.change(until, "give_back", doc! { "_id": event, "holds.attempt": attempt }, update).await
    }

    /// Removes holds that are settled.
    pub(super) async fn forget(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempts: Vec<bson::Uuid>,
    ) -> Result<(), MongoError> {
        let pull = doc! { "$pull": { "holds": { "attempt": { "$in": attempts } } } };
        self.events.change(until, "forget", doc! { "_id": event }, pull).await.map(drop)
    }
}

fn to_bson(value: &impl serde::Serialize) -> bson::Bson {
    serialize_to_bson(value).expect("documents have only string keys")
}
