//! Replicas on one database, and what must be true there when every request is complete.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use ::mongo::{
    Mongo,
    error::Deadline,
    faults::{Fault, Faults},
    id,
    table::{Select, Table, number},
};
use bookingservice::{
    domain::{Booked, Booking, NewBooking, Refused},
    metrics::BookingMetrics,
    store::{
        Store, Unavailable,
        mongo::{MongoStore, janitor::Pace},
    },
};
use contracts::EventCreated;
use metrics::Registry;
use mongodb::bson::{Document, doc};
use process::background::Background;
pub(crate) use testing::eventually_mut as eventually;
use testing::mongo_server;
use tokio::sync::Notify;
use uuid::Uuid;

use crate::{mongo, suite};

/// One database that nobody else uses.
pub(crate) struct World {
    url: String,
}

/// One process, as far as the store sees it.
pub(crate) struct Replica {
    pub(crate) store: Arc<MongoStore>,
    pub(crate) mongo: Mongo,
    pub(crate) registry: Registry,
    pub(crate) wake: Arc<Notify>,
    pub(crate) background: Background,
    faults: Faults,
}

impl World {
    /// `None` where there is no server; then that was noted.
    pub(crate) fn new() -> Option<Self> {
        Some(Self { url: mongo_server::shared()?.url(&mongo::new_name()) })
    }

    pub(crate) fn on(url: String) -> Self {
        Self { url }
    }

    /// The database's name.
    pub(crate) fn name(&self) -> &str {
        self.url.rsplit('/').next().unwrap()
    }

    /// A process without its tasks: nothing happens but what is asked of it.
    pub(crate) async fn replica(&self, faults: Faults) -> Replica {
        let (registry, wake) = (Registry::new(), Arc::new(Notify::new()));
        let mongo = mongo::connect(&self.url, &registry).await.with_faults(faults.clone());
        let metrics = BookingMetrics::new(&registry).unwrap();
        let store = Arc::new(MongoStore::new(&mongo, &registry, metrics, wake.clone(), Default::default()).unwrap());
        Replica { store, mongo, registry, wake, background: Background::default(), faults }
    }

    /// A process that runs, and whose janitor only looks at holds of such an age.
    pub(crate) async fn running(&self, faults: Faults, pace: Pace) -> Replica {
        let replica = self.replica(faults).await;
        replica.store.start(&replica.mongo, pace, &replica.background);
        replica
    }
}

impl Replica {
    pub(crate) async fn event(&self, capacity: u64) -> Uuid {
        let event = suite::event_for_an_hour(Some(capacity));
        self.add(&event).await.unwrap();
        event.id
    }

    pub(crate) async fn add(&self, event: &EventCreated) -> Result<(), Unavailable> {
        self.store.add_events(vec![event.clone()]).await.map(drop)
    }

    /// Books; `None` where the process has died over it.
    pub(crate) async fn book(&self, request: &NewBooking) -> Option<Result<Result<Booked, Refused>, Unavailable>> {
        tokio::time::timeout(DIED, self.store.book(request.clone())).await.ok()
    }

    pub(crate) async fn cancel(&self, booking: Uuid) -> Option<Result<Option<Booking>, Unavailable>> {
        tokio::time::timeout(DIED, self.store.cancel(booking, None)).await.ok()
    }

    /// Waits until every step that a fault has made late has happened.
    pub(crate) async fn late_steps_done(&self) {
        self.faults.late_steps_done().await;
    }

    pub(crate) fn metric(&self, name: &str) -> f64 {
        suite::metric(&self.registry, name)
    }

    pub(crate) async fn documents(&self, table: &str) -> Vec<Document> {
        Table::<Document>::of(&self.mongo, table).select(Deadline::new(), Select::default()).await.unwrap()
    }

    /// What must be true when no request is left; the error says what is not.
    pub(crate) async fn is_complete(&self) -> Result<(), String> {
        let bookings = self.documents("bookings").await;
        for event in self.documents("events").await {
            let key = event.get("_id").unwrap();
            let of_it = |booking: &&Document| booking.get("event").unwrap() == key;
            let confirmed = |booking: &&Document| booking.get_str("status").unwrap() == "confirmed";
            let seats: i64 = bookings.iter().filter(of_it).filter(confirmed).map(|b| number(b, "seats")).sum();
            let (left, booked) = (number(&event, "seats_left"), number(&event, "booked_seats"));
            let holds = event.get_array("holds").unwrap().len();
            if holds > 0 {
                return Err(format!("{holds} holds are left"));
            }
            if seats != booked || left < 0 || left + booked != number(&event, "capacity") {
                return Err(format!("{seats} seats in bookings, {booked} booked, {left} left"));
            }
            // The last change is published: by a message of that version, or because the event has unpublished seats.
            let changed = number(&event, "version") > 0;
            if changed
                && event.get_bool("seats_unpublished").is_err()
                && !bookings.iter().filter(of_it).any(|b| has_message_of_its_version(b, &event))
            {
                return Err(format!("no message has version {}", number(&event, "version")));
            }
        }
        Ok(())
    }

    /// Lets the janitor run until every request is complete.
    pub(crate) async fn complete_all(&self) {
        let (began, deadline) = (Instant::now(), Duration::from_secs(10));
        loop {
            let _ = self.store.repair(Duration::ZERO).await;
            let Err(cause) = self.is_complete().await else { return };
            assert!(began.elapsed() < deadline, "not complete within {deadline:?}: {cause}");
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// The messages about a booking, in the order of writing.
    pub(crate) async fn messages_of(&self, booking: Uuid) -> Vec<String> {
        let of_it = |document: &Document| document.get("_id").and_then(key_of) == Some(booking);
        let found = self.documents("bookings").await.into_iter().find(of_it);
        let outbox = found.map(|found| found.get_array("outbox").unwrap().clone()).unwrap_or_default();
        let name = |entry: &mongodb::bson::Bson| entry.as_document().unwrap().get_str("name").unwrap().to_owned();
        outbox.iter().map(name).collect()
    }
}

/// A request that answers nothing for so long never will: its process has died.
pub(crate) const DIED: Duration = Duration::from_millis(3500);

pub(crate) fn key_of(value: &mongodb::bson::Bson) -> Option<Uuid> {
    mongodb::bson::deserialize_from_bson::<mongodb::bson::Uuid>(value.clone()).ok().map(id)
}

/// Whether a message of this booking has its version.
fn has_message_of_its_version(booking: &Document, event: &Document) -> bool {
    let version = format!("\"version\":{}", number(event, "version"));
    let body = |entry: &mongodb::bson::Bson| entry.as_document().unwrap().get_str("body").unwrap().to_owned();
    booking.get_array("outbox").unwrap().iter().map(body).any(|body| body.contains(&version))
}

/// A fault at a step, once.
pub(crate) fn once(step: &'static str, fault: Fault) -> Faults {
    let armed = AtomicBool::new(true);
    Faults::new(move |at| if at == step && armed.swap(false, Ordering::Relaxed) { fault } else { Fault::None })
}

/// A fault at a step, each time.
pub(crate) fn always(step: &'static str, fault: Fault) -> Faults {
    Faults::new(move |at| if at == step { fault } else { Fault::None })
}

/// Notes every step that is taken.
pub(crate) fn watched() -> (Faults, Arc<Mutex<Vec<&'static str>>>) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = steps.clone();
    let note = move |step| {
        seen.lock().unwrap().push(step);
        Fault::None
    };
    (Faults::new(note), steps)
}

/// The largest number of holds of any event, now.
pub(crate) async fn longest_list(replica: &Replica) -> usize {
    let fields = doc! { "holds.at": 1 };
    let events = Table::<Document>::of(&replica.mongo, "events");
    let events = events.select(Deadline::new(), Select { fields, ..Select::default() }).await.unwrap();
    events.iter().map(|event| event.get_array("holds").unwrap().len()).max().unwrap_or(0)
}
