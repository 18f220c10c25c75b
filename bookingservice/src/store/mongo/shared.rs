//! What requests, the janitor and the sums share: the steps of the protocol, and what follows a step that succeeded (the message is
//! relayed, the booking is counted). [`HoldCleanup`] removes the holds of requests that are answered. Read `book.rs` next.

use std::{
    collections::HashMap,
    mem,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::{StreamExt, stream};
use messaging::Entry;
use mongo::{
    error::{Deadline, MongoError},
    id, key,
    outbox::MongoOutbox,
};
use mongodb::bson::{self, doc};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{
    domain::Seats,
    metrics::BookingMetrics,
    store::mongo::{
        documents::{BOOKINGS, BookingDoc},
        metrics::HoldMetrics,
        steps::{Steps, without_holds},
        unpublished_seats::UnpublishedSeats,
    },
};

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
}

impl Shared {
    /// This process has inserted a booking: its message is relayed, and it is counted.
    pub(super) fn inserted(&self, booking: BookingDoc, entry: Entry) {
        self.outbox.committed(BOOKINGS, id(booking.id), [entry]);
        self.metrics.booked(&booking.into());
    }

    /// This process has marked a booking as cancelled: its message is relayed, and it is counted.
    pub(super) fn marked_cancelled(&self, booking: &BookingDoc, entry: Entry) {
        self.outbox.committed(BOOKINGS, id(booking.id), [entry]);
        self.metrics.cancelled(&booking.clone().into());
    }

    /// An event without its holds.
    pub(super) async fn event(&self, until: Deadline, id: Uuid) -> Result<Option<Seats>, MongoError> {
        let event = self.steps.events.get(until, doc! { "_id": key(id) }, without_holds()).await?;
        Ok(event.map(Seats::from))
    }

    /// Releases the seats of a hold, and has the new number of seats published.
    pub(super) async fn release(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempt: bson::Uuid,
        seats: u64,
    ) -> Result<(), MongoError> {
        let mut released = self.steps.release(until, event, attempt, seats).await;
        let answer_lost = matches!(&released, Err(cause) if cause.may_have_written());
        if answer_lost {
            released = self.steps.release(until, event, attempt, seats).await; // safe: the first one has removed the hold
        }
        if released? || answer_lost {
            self.unpublished_seats.released(event);
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
