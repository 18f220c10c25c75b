//! Bookings in MongoDB, without transactions: a protocol of single writes, each on one document.
//!
//! - [`steps`]: the writes of the protocol, one by one
//! - [`book`], [`cancel`]: the order of the writes in a request, and what a lost answer means
//! - [`janitor`]: completes what a dead process left; [`steps`] has what it shares with requests
//! - [`unpublished_seats`]: the messages of released seats; [`totals`], [`metrics`]: the gauges
//!
//! Reserving seats leaves a *hold* with the event. The hold says all that the booking needs, so any process can complete it.

mod book;
mod cancel;
mod documents;
pub mod janitor;
mod metrics;
mod steps;
mod totals;
mod unpublished_seats;

use std::{sync::Arc, time::Duration};

use ::metrics::Registry;
use async_trait::async_trait;
use contracts::EventCreated;
use messaging::{Effect, outbox::Outbox};
use mongo::{
    Mongo,
    address::MongoUrl,
    error::{Deadline, MongoError},
    key,
    metrics::ClientMetrics,
    outbox::MongoOutbox,
    table::{Inserted, Select},
};
use mongodb::bson::doc;
use paging::Cursor;
use process::background::Background;
use service::{Backend, Resources, StartError};
use tokio::sync::Notify;
use trace::{Origin, Stories};
use uuid::Uuid;

use self::{
    book::BookRequest,
    cancel::CancelRequest,
    documents::{BOOKINGS, EventDoc, without_holds},
    janitor::{Janitor, Pace},
    metrics::HoldMetrics,
    steps::{HoldCleanup, OLD_FIELDS, Shared, Steps, indexes},
    unpublished_seats::UnpublishedSeats,
};
use super::{Store, Unavailable};
use crate::{
    domain::{Booked, Booking, NewBooking, Refused, Seats},
    metrics::BookingMetrics,
};

/// The store with what belongs to it. It does not wait for the server: what is asked of it meanwhile is unavailable.
pub async fn backend(
    url: &MongoUrl,
    registry: &Registry,
    metrics: BookingMetrics,
    wake: Arc<Notify>,
    stories: Stories,
) -> Result<Backend<dyn Store>, StartError> {
    let mongo = Mongo::open(url, "bookingservice", ClientMetrics::new(registry)?).await?;
    let store = MongoStore::new(&mongo, registry, metrics, wake, stories)?;
    let mut background = Background::default();
    store.start(&mongo, Pace::default(), &background);
    let (outbox, dead, probe) = (store.outbox(), store.shared.outbox.dead_letters(), mongo.probe());
    background.on_shutdown(move || mongo.close());
    Ok(Backend { store: Arc::new(store), outbox, dead, probe, resources: Resources { file: None, background } })
}

/// The store in one database.
pub struct MongoStore {
    shared: Arc<Shared>,
    janitor: Arc<Janitor>,
}

impl MongoStore {
    /// A store without its tasks.
    pub fn new(
        mongo: &Mongo,
        registry: &Registry,
        metrics: BookingMetrics,
        wake: Arc<Notify>,
        stories: Stories,
    ) -> ::metrics::Result<Self> {
        let (steps, unpublished_seats) = (Steps::new(mongo), Arc::new(UnpublishedSeats::new(mongo, wake.clone())));
        let outbox = MongoOutbox::new(mongo, &[BOOKINGS], wake, Some(unpublished_seats.clone()));
        let (hold_cleanup, hold_metrics) = (HoldCleanup::default(), HoldMetrics::new(registry)?);
        let shared =
            Arc::new(Shared { steps, outbox, unpublished_seats, hold_cleanup, metrics, hold_metrics, stories });
        let janitor = Arc::new(Janitor::new(shared.clone()));
        Ok(Self { shared, janitor })
    }

    /// Starts its tasks: indexes, relay of what dead processes left, removal of holds, janitor, gauges.
    pub fn start(&self, mongo: &Mongo, pace: Pace, background: &Background) {
        let mut indexes = indexes();
        indexes.extend(self.shared.outbox.indexes());
        mongo.prepare(indexes, OLD_FIELDS, background);
        self.shared.outbox.start(mongo, background);
        let (holds, janitor, sums) = (self.shared.clone(), self.janitor.clone(), self.shared.clone());
        background.spawn_with(|stop| async move { holds.hold_cleanup.run(&holds.steps, stop).await });
        background.spawn(async move { janitor.run(pace).await });
        background.spawn(sums.keep_sums());
    }

    /// Its messages that wait.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        self.shared.outbox.clone()
    }

    /// One run of the janitor; says how many holds it repaired.
    pub async fn repair(&self, older_than: Duration) -> Result<usize, MongoError> {
        self.janitor.repair(older_than).await
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn book(&self, request: NewBooking) -> Result<Result<Booked, Refused>, Unavailable> {
        let shared = self.shared.clone();
        // A task of its own: a client that goes away does not leave a hold behind.
        let run = tokio::spawn(async move { BookRequest::new(&shared, request).run().await });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn cancel(&self, id: Uuid, origin: Option<Origin>) -> Result<Option<Booking>, Unavailable> {
        let shared = self.shared.clone();
        let run = tokio::spawn(async move { CancelRequest::new(&shared, id, origin).run().await });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn booking(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        Ok(self.shared.steps.booking(Deadline::new(), key(id)).await?.map(Booking::from))
    }

    async fn bookings_of(
        &self,
        event: Uuid,
        after: Option<Cursor>,
        max: usize,
    ) -> Result<Option<Vec<Booking>>, Unavailable> {
        let until = Deadline::new();
        let mut filter = doc! { "event": key(event) };
        if let Some(Cursor { number, id }) = after {
            // Two bookings may have one `seq`: the janitor takes the version of the event that it found.
            filter.insert("seq", doc! { "$gte": number });
            filter.insert("$or", [doc! { "seq": { "$gt": number } }, doc! { "_id": { "$gt": key(id) } }].to_vec());
        }
        let select = Select { filter, sort: doc! { "seq": 1, "_id": 1 }, limit: max, ..Select::default() };
        let found = self.shared.steps.bookings.select(until, select).await?;
        if found.is_empty() && self.shared.event(until, event).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(found.into_iter().map(Booking::from).collect()))
    }

    async fn event(&self, id: Uuid) -> Result<Option<Seats>, Unavailable> {
        Ok(self.shared.event(Deadline::new(), id).await?)
    }

    async fn events(&self, after: Option<Uuid>, max: usize) -> Result<Vec<Seats>, Unavailable> {
        let filter = after.map_or_else(|| doc! {}, |id| doc! { "_id": { "$gt": key(id) } });
        let select = Select { filter, sort: doc! { "_id": 1 }, limit: max, fields: without_holds() };
        let events = self.shared.steps.events.select(Deadline::new(), select).await?;
        Ok(events.into_iter().map(Seats::from).collect())
    }

    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable> {
        let labels: Vec<_> = events.iter().map(|event| (event.id, event.name.clone())).collect();
        let documents = events.into_iter().map(EventDoc::from).collect();
        let added = self.shared.steps.events.insert_missing(Deadline::new(), "add", documents).await?;
        labels.iter().for_each(|(id, name)| self.shared.metrics.on_sale(*id, name));
        let effect = |inserted| if inserted == Inserted::New { Effect::Applied } else { Effect::Duplicate };
        Ok(added.into_iter().map(effect).collect())
    }
}
