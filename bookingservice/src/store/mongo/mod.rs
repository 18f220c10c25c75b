//! Bookings in MongoDB, without transactions: a protocol of single writes, each on one document.
//!
//! - [`steps`]: the lines of the protocol
//! - [`book`], [`cancel`]: the order of the lines, and what a lost answer means
//! - [`janitor`]: finishes what a dead process left; [`forget`] removes what is settled
//! - [`outbox`]: the messages inside the documents, and `tell`
//! - [`totals`], [`metrics`]: the gauges
//!
//! Reserving leaves a *hold* with the event: enough to make the booking from. So whoever finds the hold, at whatever time,
//! goes on where its request stopped, and all roads lead to the same end.

mod book;
mod cancel;
mod documents;
mod forget;
pub mod janitor;
mod metrics;
mod outbox;
mod steps;
mod totals;

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use contracts::EventCreated;
use messaging::{Effect, Entry, outbox::Outbox};
use mongo::{
    Mongo,
    address::MongoUrl,
    error::{Deadline, MongoError},
    key,
    metrics::ClientMetrics,
    table::{Inserted, Select},
};
use mongodb::bson::{self, doc};
use paging::Cursor;
use process::background::Background;
use prometheus::Registry;
use service::{Backend, Resources, StartError};
use tokio::sync::Notify;
use uuid::Uuid;

use self::{
    documents::{BookingDoc, EventDoc},
    forget::Forgettable,
    metrics::HoldMetrics,
    outbox::BookingOutbox,
    steps::Steps,
};
use super::{Store, Unavailable};
use crate::{
    domain::{Booked, Booking, EventOnSale, NewBooking, Refused},
    metrics::BookingMetrics,
};

/// The store with what belongs to it. It does not wait for the server: what is asked of it meanwhile is unavailable.
pub async fn backend(
    url: &MongoUrl,
    registry: &Registry,
    metrics: BookingMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    let mongo = Mongo::open(url, "bookingservice", ClientMetrics::new(registry)?).await?;
    let store = MongoStore::new(&mongo, registry, metrics, wake)?;
    let mut background = Background::default();
    store.start(&mongo, janitor::Pace::default(), &background);
    let (outbox, dead, probe) = (store.outbox(), store.0.outbox.messages.dead_letters(), mongo.probe());
    background.on_shutdown(move || mongo.close());
    Ok(Backend { store: Arc::new(store), outbox, dead, probe, resources: Resources { file: None, background } })
}

/// The store in one database.
pub struct MongoStore(Arc<Shared>);

/// What requests and the store's tasks share.
struct Shared {
    steps: Steps,
    outbox: Arc<BookingOutbox>,
    forgettable: Forgettable,
    metrics: BookingMetrics,
    kept: HoldMetrics,
    /// What the janitor could not repair in its last run.
    stuck: Mutex<janitor::Stuck>,
}

impl MongoStore {
    /// A store without its tasks.
    pub fn new(
        mongo: &Mongo,
        registry: &Registry,
        metrics: BookingMetrics,
        wake: Arc<Notify>,
    ) -> prometheus::Result<Self> {
        let (steps, outbox) = (Steps::new(mongo), Arc::new(BookingOutbox::new(mongo, wake)));
        let (forgettable, kept) = (Forgettable::default(), HoldMetrics::new(registry)?);
        let stuck = Mutex::default();
        Ok(Self(Arc::new(Shared { steps, outbox, forgettable, metrics, kept, stuck })))
    }

    /// Starts its tasks: indexes, relay of what is left over, removal of settled holds, janitor, gauges.
    pub fn start(&self, mongo: &Mongo, pace: janitor::Pace, background: &Background) {
        let mut indexes = steps::indexes();
        indexes.extend(self.0.outbox.messages.indexes());
        mongo.prepare(indexes, background);
        self.0.outbox.messages.start(mongo, background);
        let (forget, tidy, sum) = (self.0.clone(), self.0.clone(), self.0.clone());
        background.spawn_with(|stop| async move { forget.forget_answered(stop).await });
        background.spawn(async move { tidy.tidy_up(pace).await });
        background.spawn(async move { sum.sum_up().await });
    }

    /// Its messages that wait.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        self.0.outbox.clone()
    }

    /// One run of the janitor; says how many holds it repaired.
    pub async fn repair(&self, older_than: Duration) -> Result<usize, MongoError> {
        self.0.repair(older_than).await
    }
}

impl Shared {
    /// This process has made a booking: counts and relays it.
    fn booked(&self, booking: BookingDoc, entry: Entry) {
        self.outbox.messages.committed(documents::BOOKINGS, mongo::id(booking.id), [entry]);
        self.metrics.booked(&booking.into());
    }

    /// This process has cancelled a booking.
    fn cancelled(&self, booking: &BookingDoc, entry: Entry) {
        self.outbox.messages.committed(documents::BOOKINGS, mongo::id(booking.id), [entry]);
        self.metrics.cancelled(&booking.clone().into());
    }

    fn forget_later(&self, event: bson::Uuid, attempt: bson::Uuid) {
        self.forgettable.add(event, attempt);
    }

    async fn event(&self, until: Deadline, id: Uuid) -> Result<Option<EventOnSale>, MongoError> {
        let event = self.steps.events.get(until, doc! { "_id": key(id) }, steps::without_holds()).await?;
        Ok(event.as_ref().map(EventDoc::on_sale))
    }

    /// Gives seats back, and has it told.
    async fn give_back(
        &self,
        until: Deadline,
        event: bson::Uuid,
        attempt: bson::Uuid,
        seats: u64,
    ) -> Result<(), MongoError> {
        let mut given = self.steps.give_back(until, event, attempt, seats).await;
        let lost = matches!(&given, Err(cause) if cause.may_have_written());
        if lost {
            given = self.steps.give_back(until, event, attempt, seats).await; // the hold makes it happen once
        }
        if given? || lost {
            self.outbox.seats_came_back(event);
        }
        Ok(())
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn book(&self, request: NewBooking) -> Result<Result<Booked, Refused>, Unavailable> {
        let shared = self.0.clone();
        // A task of its own: a client that goes away does not leave a hold behind.
        let run = tokio::spawn(async move { book::BookRequest::new(&shared, request).run().await });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn cancel(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        let shared = self.0.clone();
        let run = tokio::spawn(async move { cancel::Cancelling::new(&shared, id).run().await });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn booking(&self, id: Uuid) -> Result<Option<Booking>, Unavailable> {
        Ok(self.0.steps.look(Deadline::new(), key(id)).await?.map(Booking::from))
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
            // Two bookings may have one `seq`: the janitor gives out the version it found.
            filter.insert("seq", doc! { "$gte": number });
            filter.insert("$or", [doc! { "seq": { "$gt": number } }, doc! { "_id": { "$gt": key(id) } }].to_vec());
        }
        let select = Select { filter, sort: doc! { "seq": 1, "_id": 1 }, limit: max, ..Select::default() };
        let found = self.0.steps.bookings.select(until, select).await?;
        if found.is_empty() && self.0.event(until, event).await?.is_none() {
            return Ok(None);
        }
        Ok(Some(found.into_iter().map(Booking::from).collect()))
    }

    async fn event(&self, id: Uuid) -> Result<Option<EventOnSale>, Unavailable> {
        Ok(self.0.event(Deadline::new(), id).await?)
    }

    async fn events(&self, after: Option<Uuid>, max: usize) -> Result<Vec<EventOnSale>, Unavailable> {
        let filter = after.map_or_else(|| doc! {}, |id| doc! { "_id": { "$gt": key(id) } });
        let select = Select { filter, sort: doc! { "_id": 1 }, limit: max, fields: steps::without_holds() };
        let events = self.0.steps.events.select(Deadline::new(), select).await?;
        Ok(events.iter().map(EventDoc::on_sale).collect())
    }

    async fn add_events(&self, events: Vec<EventCreated>) -> Result<Vec<Effect>, Unavailable> {
        let labels: Vec<_> = events.iter().map(|event| (event.id, event.name.clone())).collect();
        let documents = events.into_iter().map(documents::EventDoc::from).collect();
        let added = self.0.steps.events.insert_missing(Deadline::new(), "add", documents).await?;
        labels.iter().for_each(|(id, name)| self.0.metrics.on_sale(*id, name));
        let effect = |inserted| if inserted == Inserted::New { Effect::Applied } else { Effect::Duplicate };
        Ok(added.into_iter().map(effect).collect())
    }
}

impl From<MongoError> for Unavailable {
    fn from(cause: MongoError) -> Self {
        if cause.may_have_written() { Self::OutcomeUnknown } else { Self::Away }
    }
}
