//! What requests, the janitor and the sums share: the steps of the protocol, and what follows a step that succeeded (the message is
//! relayed, the booking is counted). Read `book.rs` next.

use std::sync::Arc;

use messaging::Entry;
use mongo::{
    error::{Deadline, MongoError},
    id, key,
    outbox::MongoOutbox,
};
use mongodb::bson::{self, doc};
use uuid::Uuid;

use super::{
    documents::{BOOKINGS, BookingDoc},
    hold_cleanup::HoldCleanup,
    metrics::HoldMetrics,
    steps::{Steps, without_holds},
    unpublished_seats::UnpublishedSeats,
};
use crate::{domain::Seats, metrics::BookingMetrics};

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
