//! What a store of bookings promises, on SQLite and on MongoDB alike.
//!
//! - A booking that was answered is on disk, its seats are taken, and its message is in the outbox: on SQLite in one
//!   transaction. On MongoDB the booking and its message are one write; the hold that took the seats lets any process complete it.
//! - Never more seats than there are; never two bookings under one id.
//! - A booking is counted once, after it is durable, by the process whose write succeeded.

pub mod audit;
pub mod mongo;
pub mod schema;
pub mod sqlite;

use std::sync::Arc;

use async_trait::async_trait;
use contracts::{Contract, EventCreated};
use messaging::{Effect, Entry};
use paging::Cursor;
use process::metrics::Metrics;
use service::{Backend, Settings, StartError};
use tokio::sync::Notify;
use trace::Origin;
use uuid::Uuid;

use crate::{
    domain::{Booked, Booking, NewBooking, Refused, Seats},
    metrics::BookingMetrics,
};

pub use service::Unavailable;

/// A message as the outbox holds it, with the trace of the request that made it.
pub(crate) fn entry<M: Contract>(message: &M, traceparent: Option<&str>) -> Entry {
    Entry::new(M::NAME, M::MANDATORY, message.to_json(), traceparent.map(str::to_owned))
}

/// Opens the store that is configured: a MongoDB database, or else a file.
pub async fn open(
    settings: Settings,
    registry: &mut Metrics,
    metrics: BookingMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    match settings.mongo {
        Some(url) => mongo::backend(&url, &registry.registry, metrics, wake, settings.stories).await,
        None => sqlite::backend(settings.data_dir, registry, metrics, wake).await,
    }
}

/// Bookings, and the seats of events.
#[async_trait]
pub trait Store: Send + Sync {
    /// Takes the seats, stores the booking and its `eventBooked`. A stored booking of the same id is answered instead.
    async fn book(&self, request: NewBooking) -> Result<Result<Booked, Refused>, Unavailable>;

    /// Cancels a booking, releases its seats, and stores `bookingCancelled` and `seatsChanged`; once. `None` for an unknown booking.
    async fn cancel(&self, id: Uuid, origin: Option<Origin>) -> Result<Option<Booking>, Unavailable>;

    /// A booking.
    async fn booking(&self, id: Uuid) -> Result<Option<Booking>, Unavailable>;

    /// At most `max` bookings of an event behind a position, in the order they were made. `None` for an unknown event.
    async fn bookings_of(
        &self,
        event: Uuid,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<Option<Vec<Booking>>, Unavailable>;

    /// An event with its seats.
    async fn event(&self, id: Uuid) -> Result<Option<Seats>, Unavailable>;

    /// At most `max` events behind an id, in the order of their ids.
    async fn events(&self, after: Option<Uuid>, max: usize) -> Result<Vec<Seats>, Unavailable>;

    /// Adds events that are not there yet; never changes one. Where it fails some may have been added: it is safe to repeat.
    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable>;
}
