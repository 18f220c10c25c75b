//! The steps of the protocol: each function of [`Steps`] is one atomic write, or one read, and does nothing else. The order of the
//! steps is in `book.rs`, `cancel.rs` and `janitor.rs`. [`Shared`] is what these share, and what follows a step that succeeded: the
//! message is relayed, the booking is counted. [`HoldCleanup`] removes the holds of requests that are answered.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use messaging::Entry;
use mongo::{
    Index, Mongo, OldField,
    error::{Deadline, MongoError},
    id, key,
    outbox::{MongoOutbox, StoredEntry},
    table::{Inserted, Table},
};
use mongodb::bson::{self, doc, serialize_to_bson};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use trace::{Origin, Stories};
use uuid::Uuid;

use super::{
    documents::{BOOKINGS, BookingDoc, EVENTS, EventDoc, Hold, without_holds},
    metrics::HoldMetrics,
    unpublished_seats::UnpublishedSeats,
};
use crate::{domain::Seats, metrics::BookingMetrics};

/// Both collections.
pub(super) struct Steps {
    pub(super) events: Table<EventDoc>,
    pub(super) bookings: Table<BookingDoc>,
}

/// What is searched for. Few events have holds or unpublished seats at a time, so these indexes leave out all others.
pub(super) fn indexes() -> Vec<Index> {
    vec![
        Index { table: BOOKINGS, keys: doc! { "event": 1, "seq": 1, "_id": 1 }, sparse: false },
        Index { table: EVENTS, keys: doc! { "holds.at": 1 }, sparse: true },
        Index { table: EVENTS, keys: doc! { "seats_unpublished_at": 1 }, sparse: true },
    ]
}

/// What events had before `seats_unpublished`. The seats of such a document would never be published.
pub(super) const OLD_FIELDS: &[OldField] = &[OldField {
    table: EVENTS,
    field: "untold",
    remedy: "rename it by `db.events.updateMany({}, {$rename: {untold: \"seats_unpublished\", untold_at: \
             \"seats_unpublished_at\"}})`, or choose another database, and start the service again",
}];

impl Steps {
    pub(super) fn new(mongo: &Mongo) -> Self {
        Self { events: Table::of(mongo, EVENTS), bookings: Table::of(mongo, BOOKINGS) }
    }

    /// A booking as it is stored.
    pub(super) async fn booking(&self, until: Deadline, booking: bson::Uuid) -> Result<Option<BookingDoc>, MongoError> {
        self.bookings.get(until, doc! { "_id": booking }, doc! {}).await
    }

    /// An event with its holds.
    pub(super) async fn event(&self, until: Deadline, event: bson::Uuid) -> Result<Option<EventDoc>, MongoError> {
        self.events.get(until, doc! { "_id": event }, doc! {}).await
    }

    /// Takes the seats, and leaves a hold from which any process can complete the booking. Its filter is the guard against
    /// overselling: the server checks it and takes the seats in one step. `None` where it does not match: the event is unknown or
    /// over, too few seats are left, or the booking has a hold already.
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

    /// Stores the booking with its message.
    pub(super) async fn insert(&self, until: Deadline, booking: BookingDoc) -> Result<Inserted, MongoError> {
        self.bookings.insert(until, "insert", booking).await
    }

    /// Leaves a hold that requests the cancellation, so that any process can complete it. `false` where there is no such event.
    pub(super) async fn request_cancel(
        &self,
        until: Deadline,
        event: bson::Uuid,
        hold: &Hold,
    ) -> Result<bool, MongoError> {
        let push = doc! { "$push": { "holds": to_bson(hold) } };
        self.events.change(until, "request_cancel", doc! { "_id": event }, push).await
    }

    /// Marks a confirmed booking as cancelled, and stores the message with it. `None` where it is not confirmed.
    pub(super) async fn mark_cancelled(
        &self,
        until: Deadline,
        hold: &Hold,
        message: &Entry,
    ) -> Result<Option<BookingDoc>, MongoError> {
        let update = doc! {
            "$set": { "status": "cancelled", "cancelled_at": hold.at, "cancel_attempt": hold.attempt },
            "$push": { "outbox": to_bson(&StoredEntry::from(message)) },
        };
        let filter = doc! { "_id": hold.booking, "status": "confirmed" };
        self.bookings.change_and_get(until, "mark_cancelled", filter, update, doc! {}).await
    }

    /// Releases the seats of a hold, once, and notes that the new number is not published. `false` where the hold is gone.
    pub(super) async fn release(
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
            "$set": { "seats_unpublished": true, "seats_unpublished_at": now },
            "$pull": { "holds": { "attempt": attempt } },
        };
        self.events.change(until, "release", doc! { "_id": event, "holds.attempt": attempt }, update).await
    }

    /// Removes holds that are not needed any more.
    pub(super) async fn remove_holds(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempts: Vec<bson::Uuid>,
    ) -> Result<(), MongoError> {
        let pull = doc! { "$pull": { "holds": { "attempt": { "$in": attempts } } } };
        self.events.change(until, "remove_holds", doc! { "_id": event }, pull).await.map(drop)
    }
}

fn to_bson(value: &impl serde::Serialize) -> bson::Bson {
    serialize_to_bson(value).expect("documents have only string keys")
}

/// Before another try of a request: long enough for a server to recover, short beside a request.
pub(super) const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// What requests and the store's tasks share.
pub(super) struct Shared {
    pub(super) steps: Steps,
    pub(super) outbox: Arc<MongoOutbox>,
    pub(super) unpublished_seats: Arc<UnpublishedSeats>,
    pub(super) hold_cleanup: HoldCleanup,
    pub(super) metrics: BookingMetrics,
    pub(super) hold_metrics: HoldMetrics,
    pub(super) stories: Stories,
}

impl Shared {
    /// This process has inserted a booking: its message is relayed, and it is counted. Without an origin the request came to another process.
    pub(super) fn inserted(&self, booking: BookingDoc, entry: Entry, origin: Option<&Origin>) {
        self.tell(origin, &entry, |origin| origin.made(id(booking.id)));
        self.outbox.committed(BOOKINGS, id(booking.id), [entry]);
        self.metrics.booked(&booking.into());
    }

    /// This process has marked a booking as cancelled: its message is relayed, and it is counted. Says whose seats are to be released.
    pub(super) fn marked_cancelled(
        &self,
        booking: &BookingDoc,
        entry: Entry,
        origin: Option<&Origin>,
    ) -> Option<Origin> {
        let origin = self.tell(origin, &entry, |origin| origin.changed(id(booking.id)));
        self.outbox.committed(BOOKINGS, id(booking.id), [entry]);
        self.metrics.cancelled(&booking.clone().into());
        origin
    }

    /// Tells that an entry is stored, and what with it; and says whose it is.
    fn tell(
        &self,
        origin: Option<&Origin>,
        Entry { message, .. }: &Entry,
        what: impl FnOnce(&Origin),
    ) -> Option<Origin> {
        let resumed = || self.resumed(message.traceparent.as_deref());
        let origin = origin.cloned().or_else(resumed)?;
        origin.writes(message.id);
        what(&origin);
        Some(origin)
    }

    /// A request that came to another process.
    pub(super) fn resumed(&self, traceparent: Option<&str>) -> Option<Origin> {
        Origin::resumed(&self.stories, traceparent)
    }

    /// An event without its holds.
    pub(super) async fn event(&self, until: Deadline, id: Uuid) -> Result<Option<Seats>, MongoError> {
        let event = self.steps.events.get(until, doc! { "_id": key(id) }, without_holds()).await?;
        Ok(event.map(Seats::from))
    }

    /// Releases the seats of a hold, and has the new number of seats published, in the story of the request that releases.
    pub(super) async fn release(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempt: bson::Uuid,
        seats: u64,
        origin: Option<Origin>,
    ) -> Result<(), MongoError> {
        let mut released = self.steps.release(until, event, attempt, seats).await;
        let answer_lost = matches!(&released, Err(cause) if cause.may_have_written());
        if answer_lost {
            released = self.steps.release(until, event, attempt, seats).await; // safe: the first one has removed the hold
        }
        if released? || answer_lost {
            self.unpublished_seats.released(event, origin);
        }
        Ok(())
    }
}

/// Events whose holds are removed at the same time.
const EVENTS_AT_ONCE: usize = 8;

/// Events with holds to remove, and such holds of one event. More than these are left to the janitor.
const WAITING_MAX: usize = 10_000;

/// The holds of requests that are answered: the attempts that made them, by event. While one removal runs, the next holds gather
/// and are then removed together, so that the list of a hot event stays short and the removals take little of its time. A removal
/// that fails is left to the janitor.
#[derive(Default)]
pub(super) struct HoldCleanup {
    waiting: Mutex<HashMap<bson::Uuid, Vec<bson::Uuid>>>,
    added: Notify,
}

impl HoldCleanup {
    fn waiting(&self) -> MutexGuard<'_, HashMap<bson::Uuid, Vec<bson::Uuid>>> {
        self.waiting.lock().expect("nothing panics while it holds this")
    }

    /// The hold of this attempt is not needed any more.
    pub(super) fn add(&self, event: bson::Uuid, attempt: bson::Uuid) {
        let mut waiting = self.waiting();
        if waiting.len() < WAITING_MAX {
            let attempts = waiting.entry(event).or_default();
            if attempts.len() < WAITING_MAX {
                attempts.push(attempt);
            }
        }
        self.added.notify_one();
    }

    /// Removes holds until `stop`, and then those that are left.
    pub(super) async fn run(&self, steps: &Steps, stop: CancellationToken) {
        while stop.run_until_cancelled(self.added.notified()).await.is_some() {
            self.remove_all(steps).await;
        }
        self.remove_all(steps).await;
    }

    async fn remove_all(&self, steps: &Steps) {
        let waiting = mem::take(&mut *self.waiting());
        let remove = |(event, attempts)| async move {
            let _ = steps.remove_holds(Deadline::new(), event, attempts).await; // where it fails the janitor does it
        };
        stream::iter(waiting).for_each_concurrent(EVENTS_AT_ONCE, remove).await;
    }
}
