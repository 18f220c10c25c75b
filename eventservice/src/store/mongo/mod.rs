//! Events and locations in MongoDB. Each is written once, together with its message; only the view of an event's seats changes.
//!
//! - [`documents`]: the documents in the database
//! - [`list`]: pages of events
//! - [`search_forms`]: what another version has stored for the search by name
//!
//! Messages about seats are applied in batches: a batch becomes one read and one command. Each event takes the newest of the batch,
//! and only if that is newer than its own when it is written: another process may have applied more meanwhile.

mod documents;
mod list;
mod search_forms;

use std::{collections::HashMap, sync::Arc, time::Duration};

use async_trait::async_trait;
use contracts::SeatsChanged;
use messaging::{Effect, outbox::Outbox};
use metrics::Registry;
use mongo::{
    Index, Mongo,
    address::MongoUrl,
    error::{Deadline, MongoError},
    id, key,
    metrics::ClientMetrics,
    outbox::MongoOutbox,
    table::{Inserted, Select, Table, keep_summing, number},
};
use mongodb::bson::{Document, doc};
use paging::Cursor;
use process::background::Background;
use serde::{Serialize, de::DeserializeOwned};
use service::{Backend, Resources, StartError};
use tokio::sync::Notify;
use trace::Origin;
use uuid::Uuid;

use self::documents::{EVENTS, EventDoc, LOCATIONS, LocationDoc, Shown};
use crate::{
    domain::{Event, Location, SeatUpdate},
    metrics::EventMetrics,
    store::{Filter, Store, Unavailable, UnknownLocation},
};

/// Before a write without an answer is tried again.
const RETRY_PAUSE: Duration = Duration::from_millis(20);

/// The longest time of the sum, which grows with the data.
const SUM_TIMEOUT: Duration = Duration::from_secs(60);

/// The store with what belongs to it. It does not wait for the server: what is asked of it meanwhile is unavailable.
pub async fn backend(
    url: &MongoUrl,
    registry: &Registry,
    metrics: EventMetrics,
    wake: Arc<Notify>,
) -> Result<Backend<dyn Store>, StartError> {
    let mongo = Mongo::open(url, "eventservice", ClientMetrics::new(registry)?).await?;
    let store = MongoStore::new(&mongo, metrics, wake);
    let mut background = Background::default();
    store.start(&mongo, &background);
    let (outbox, dead, probe) = (store.outbox(), store.outbox.dead_letters(), mongo.probe());
    background.on_shutdown(move || mongo.close());
    Ok(Backend { store: Arc::new(store), outbox, dead, probe, resources: Resources { file: None, background } })
}

/// The store in one database.
#[derive(Clone)]
pub struct MongoStore {
    events: Table<EventDoc>,
    locations: Table<LocationDoc>,
    outbox: Arc<MongoOutbox>,
    metrics: EventMetrics,
}

impl MongoStore {
    /// A store without its tasks.
    pub fn new(mongo: &Mongo, metrics: EventMetrics, wake: Arc<Notify>) -> Self {
        let outbox = MongoOutbox::new(mongo, &[EVENTS, LOCATIONS], wake, None);
        Self { events: Table::of(mongo, EVENTS), locations: Table::of(mongo, LOCATIONS), outbox, metrics }
    }

    /// Starts its tasks: indexes, relay of what is left over, gauges.
    pub fn start(&self, mongo: &Mongo, background: &Background) {
        let of_a_location = doc! { "location_id": 1, "start_date": 1, "_id": 1 };
        let mut indexes = vec![
            Index { table: EVENTS, keys: doc! { "start_date": 1, "_id": 1 }, sparse: false },
            Index { table: EVENTS, keys: of_a_location, sparse: false },
        ];
        indexes.extend(self.outbox.indexes());
        mongo.prepare(indexes, &[], background);
        self.outbox.start(mongo, background);
        background.spawn(search_forms::renew(self.events.part()));
        let store = self.clone();
        background.spawn(keep_summing(async move || {
            let _ = store.sum().await; // the state of the database logs it; what was last known stays
        }));
    }

    /// Its messages that wait.
    pub fn outbox(&self) -> Arc<dyn Outbox> {
        self.outbox.clone()
    }

    /// How far the view has come. Other processes apply messages as well, so each adds up all that is stored now and then.
    async fn sum(&self) -> Result<(), MongoError> {
        let all = doc! { "$group": { "_id": null, "version": { "$sum": "$version" } } };
        let totals = self.events.aggregate(Deadline::after(SUM_TIMEOUT), vec![all]).await?.pop();
        self.metrics.view.set(totals.map_or(0, |totals| number(&totals, "version")) as f64);
        Ok(())
    }
}

/// Adds a document with a new id. After a lost answer it is tried again; a document that is there then is the one of the first try.
async fn add<T>(until: Deadline, table: &Table<T>, step: &'static str, document: T) -> Result<(), Unavailable>
where
    T: Clone + Serialize + DeserializeOwned + Send + Sync + Unpin + 'static,
{
    let mut begun = false;
    loop {
        match table.insert(until, step, document.clone()).await {
            Ok(Inserted::New | Inserted::Duplicate) => return Ok(()),
            Err(cause) if cause.may_pass() && !until.has_passed() => {
                begun |= cause.may_have_written();
                tokio::time::sleep(RETRY_PAUSE).await;
            }
            Err(cause) if begun || cause.may_have_written() => return Err(Unavailable::OutcomeUnknown),
            Err(_) => return Err(Unavailable::Away),
        }
    }
}

#[async_trait]
impl Store for MongoStore {
    async fn create_event(
        &self,
        event: Event,
        origin: Option<Origin>,
    ) -> Result<Result<(), UnknownLocation>, Unavailable> {
        let until = Deadline::new(); // for both calls together
        if let Some(location) = event.record().location_id
            && self.locations.get(until, doc! { "_id": key(location) }, doc! {}).await?.is_none()
        {
            return Ok(Err(UnknownLocation));
        }
        let (document, entry) = EventDoc::new(&event, origin.as_ref());
        let store = self.clone();
        // A task of its own: an event that is stored is counted and published also where the client has disconnected.
        let run = tokio::spawn(async move {
            add(until, &store.events, "event", document).await?;
            store.metrics.events.inc();
            origin.inspect(|origin| origin.made(event.id()));
            store.outbox.committed(EVENTS, event.id(), [entry]);
            Ok(Ok(()))
        });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn create_location(&self, location: Location, origin: Option<Origin>) -> Result<(), Unavailable> {
        let (store, id) = (self.clone(), location.id());
        let (document, entry) = LocationDoc::new(&location, origin.as_ref());
        let run = tokio::spawn(async move {
            add(Deadline::new(), &store.locations, "location", document).await?;
            store.metrics.locations.inc();
            origin.inspect(|origin| origin.made(id));
            store.outbox.committed(LOCATIONS, id, [entry]);
            Ok(())
        });
        run.await.unwrap_or(Err(Unavailable::OutcomeUnknown))
    }

    async fn event(&self, id: Uuid) -> Result<Option<Event>, Unavailable> {
        Ok(self.events.get(Deadline::new(), doc! { "_id": key(id) }, doc! {}).await?.map(Event::from))
    }

    async fn events(&self, filter: Filter, after: Option<Cursor>, max: usize) -> Result<Vec<Event>, Unavailable> {
        let events = self.events.select(Deadline::new(), list::page(&filter, after, max)).await?;
        Ok(events.into_iter().map(Event::from).collect())
    }

    async fn location(&self, id: Uuid) -> Result<Option<Location>, Unavailable> {
        Ok(self.locations.get(Deadline::new(), doc! { "_id": key(id) }, doc! {}).await?.map(Location::from))
    }

    async fn locations(&self, after: Option<Cursor>, max: usize) -> Result<Vec<Location>, Unavailable> {
        let filter = after.map_or_else(|| doc! {}, |cursor| doc! { "_id": { "$gt": key(cursor.id) } });
        let select = Select { filter, sort: doc! { "_id": 1 }, limit: max, fields: doc! { "outbox": 0 } };
        let locations = self.locations.select(Deadline::new(), select).await?;
        Ok(locations.into_iter().map(Location::from).collect())
    }

    async fn apply(&self, updates: Vec<SeatUpdate>) -> Result<Vec<Option<Effect>>, Unavailable> {
        let (effects, grown) = apply(&self.events, &updates).await?;
        self.metrics.view.add(grown as f64);
        Ok(effects)
    }
}
/// What became of each message, `None` for an unknown event; and by how much the versions grew in all.
async fn apply(events: &Table<EventDoc>, updates: &[SeatUpdate]) -> Result<(Vec<Option<Effect>>, u64), MongoError> {
    let until = Deadline::new();
    let mut ids: Vec<Uuid> = updates.iter().map(|update| update.record().event_id).collect();
    ids.sort_unstable();
    ids.dedup();
    let filter = doc! { "_id": { "$in": ids.into_iter().map(key).collect::<Vec<_>>() } };
    let select = Select { filter, fields: doc! { "version": 1 }, ..Select::default() };
    let shown = events.part::<Shown>().select(until, select).await?;
    let before: HashMap<Uuid, u64> = shown.into_iter().map(|one| (id(one.id), one.version)).collect();

    let (mut shown, mut newest) = (before.clone(), HashMap::new());
    let effects = updates.iter().map(|update| {
        let seats = update.record();
        let shown = shown.get_mut(&seats.event_id)?;
        let effect = update.effect_on(*shown);
        if effect == Effect::Applied {
            *shown = seats.version;
            newest.insert(seats.event_id, seats);
        }
        Some(effect)
    });
    let effects = effects.collect();
    events.change_each(until, "apply", newest.values().copied().map(change).collect()).await?;
    let grown = newest.iter().map(|(event, seats)| seats.version - before[event]).sum();
    Ok((effects, grown))
}

fn change(seats: &SeatsChanged) -> (Document, Document) {
    let version = seats.version.cast_signed();
    let older = doc! { "_id": key(seats.event_id), "version": { "$lt": version } };
    let mut set = doc! { "booked_seats": seats.booked_seats.cast_signed(), "version": version };
    if let Some(seats_left) = seats.seats_left {
        set.insert("seats_left", seats_left.cast_signed());
    }
    (older, doc! { "$set": set })
}
