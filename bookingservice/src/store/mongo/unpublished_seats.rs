//! The messages of released seats. An event whose seats were released carries no message, only the field `seats_unpublished`: its
//! `SeatsChanged` is made when the outbox asks, of the seats as they are then.
//!
//! The field is removed only if the event still has the version that was published; else the event is published again. The
//! messages of bookings are in their own documents: see `MongoOutbox`.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::{Contract, SeatsChanged};
use jiff::Timestamp;
use messaging::{Entry, Message, outbox::Backlog};
use mongo::{
    Mongo,
    error::{Deadline, MongoError},
    id, key,
    outbox::{EntrySource, FirstSeen, LEFT_OVER_AFTER, LOOK_INTERVAL},
    table::{Select, Table},
};
use mongodb::bson::{self, doc};
use serde::{Deserialize, Serialize};
use tokio::sync::Notify;
use trace::Origin;
use uuid::Uuid;

use super::documents::{EVENTS, EventDoc, without_holds};
use crate::domain::Seats;

/// Before an event that has changed meanwhile is published again, and between two searches for those that other processes left.
const SEARCH_INTERVAL: Duration = Duration::from_millis(500);

/// Events that are published at once.
const BATCH_MAX: usize = 256;

/// Events that wait to be published. More than these are found in the database.
const WAITING_MAX: usize = 10_000;

/// The events whose seats are unpublished.
pub(super) struct UnpublishedSeats {
    events: Table<EventDoc>,
    wake: Arc<Notify>,
    known: Mutex<Known>,
    backlog: Mutex<Backlog>,
}

/// Unpublished events that are looked at: each has to be seen for a while, and so many are published meanwhile.
const LOOK_MAX: usize = 10 * BATCH_MAX;

/// What this process knows of unpublished seats.
#[derive(Default)]
struct Known {
    /// Events whose seats this process released.
    due: HashMap<Uuid, Due>,
    /// By the id of a message that was handed to the relay: its entry, its event, and the version of the event in it.
    offered: HashMap<Uuid, (Entry, Uuid, u64)>,
    /// When the database was last searched for those that other processes left.
    searched: Option<Instant>,
    /// Those that were found, each with the time of its last release, by the clock of whoever released.
    stored: FirstSeen<(Uuid, i64)>,
}

/// Released seats of one event.
struct Due {
    /// From when on they may be published.
    from: Instant,
    /// The last request that released some, until it was published: one message tells of all of them.
    origin: Option<Origin>,
    /// Its message, as it was offered last. It has another id if the event has changed before it was published.
    message: Option<Uuid>,
}

impl Due {
    fn from(from: Instant) -> Self {
        Self { from, origin: None, message: None }
    }

    /// The message is that of the request's story, in the place of an earlier one that was not published.
    fn offers(&mut self, message: Uuid) -> Option<String> {
        let origin = self.origin.as_ref()?;
        origin.writes_instead(self.message.replace(message), message);
        Some(origin.traceparent().to_owned())
    }

    /// What follows is not of the request whose message was published.
    fn published(&mut self, message: Uuid) {
        if self.message == Some(message) {
            (self.origin, self.message) = (None, None);
        }
    }
}

/// The part of an event that says that its seats are unpublished.
#[derive(Debug, Serialize, Deserialize)]
struct Unpublished {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    seats_unpublished_at: i64,
}

impl UnpublishedSeats {
    pub(super) fn new(mongo: &Mongo, wake: Arc<Notify>) -> Self {
        Self { events: Table::of(mongo, EVENTS), wake, known: Mutex::default(), backlog: Mutex::default() }
    }

    /// Seats of an event were released: their new number must be published.
    pub(super) fn released(&self, event: bson::Uuid, origin: Option<Origin>) {
        let mut known = self.known();
        if known.due.len() < WAITING_MAX {
            let due = known.due.entry(id(event)).or_insert_with(|| Due::from(Instant::now()));
            (due.origin, due.message) = (origin, None);
        }
        drop(known);
        self.wake.notify_one();
    }

    /// How many events have unpublished seats, for the metrics.
    pub(super) fn set_backlog(&self, backlog: Backlog) {
        *self.backlog.lock().expect("nothing panics while it holds this") = backlog;
    }

    fn known(&self) -> MutexGuard<'_, Known> {
        self.known.lock().expect("nothing panics while it holds this")
    }

    /// Which events of this process are due, and whether it is time to look for those that others left.
    fn due(&self, max: usize, is_leader: bool) -> (Vec<Uuid>, bool) {
        let (now, mut known) = (Instant::now(), self.known());
        let interval = if is_leader { SEARCH_INTERVAL } else { LOOK_INTERVAL };
        let search = known.searched.is_none_or(|at| at.elapsed() >= interval);
        if search {
            known.searched = Some(now);
        }
        let due = known.due.iter().filter(|(_, due)| due.from <= now).map(|(event, _)| *event);
        (due.take(max).collect(), search)
    }

    /// Looks which seats are unpublished.
    async fn look(&self) -> Result<(), MongoError> {
        let (filter, fields) = (doc! { "seats_unpublished_at": { "$gt": 0 } }, doc! { "seats_unpublished_at": 1 });
        let select = Select { filter, fields, limit: LOOK_MAX, ..Select::default() };
        let there = self.events.part::<Unpublished>().select(Deadline::new(), select).await?;
        let there = there.into_iter().map(|event| (id(event.id), event.seats_unpublished_at));
        self.known().stored.look(there);
        Ok(())
    }

    /// Those of `own` that are still unpublished. The others were published by another process, and are not due any more.
    async fn own_unpublished(&self, own: &[Uuid]) -> Result<Vec<EventDoc>, MongoError> {
        if own.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<_> = own.iter().copied().map(key).collect();
        let filter = doc! { "_id": { "$in": keys }, "seats_unpublished": true };
        let select = Select { filter, fields: without_holds(), ..Select::default() };
        let events = self.events.select(Deadline::new(), select).await?;
        let is_published = |event: &Uuid| !events.iter().any(|unpublished| id(unpublished.id) == *event);
        self.known().due.retain(|event, _| !own.contains(event) || !is_published(event));
        Ok(events)
    }

    /// Events that other processes left unpublished.
    async fn left_unpublished(&self, own: &[Uuid], max: usize) -> Result<Vec<EventDoc>, MongoError> {
        let left = self.known().stored.older_than(LEFT_OVER_AFTER).into_iter().map(|(event, _)| event);
        let left: Vec<_> = left.filter(|event| !own.contains(event)).take(max).map(key).collect();
        if left.is_empty() {
            return Ok(Vec::new());
        }
        let filter = doc! { "_id": { "$in": left }, "seats_unpublished": true };
        self.events.select(Deadline::new(), Select { filter, fields: without_holds(), ..Select::default() }).await
    }

    /// The message of an event's seats. Its id is made of the event and its version, so that it is the same in every try.
    fn offer(&self, event: &EventDoc) -> Entry {
        let mut known = self.known();
        let message_id = Uuid::new_v5(&id(event.id), format!("{} {}", SeatsChanged::NAME, event.version).as_bytes());
        let traceparent = known.due.get_mut(&id(event.id)).and_then(|due| due.offers(message_id));
        let message = Seats::from(event.clone()).seats_changed();
        let message = Message {
            id: message_id,
            name: SeatsChanged::NAME.to_owned(),
            body: message.to_json(),
            occurred_at: event
                .seats_unpublished_at
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .unwrap_or_else(Timestamp::now),
            traceparent,
            redriven: false,
        };
        let entry = Entry { message, mandatory: SeatsChanged::MANDATORY };
        if known.offered.len() >= WAITING_MAX {
            known.offered.clear(); // they are offered again
        }
        known.offered.insert(entry.message.id, (entry.clone(), id(event.id), event.version));
        entry
    }

    /// The seats of an event were published by a message, as of a version.
    async fn seats_published(&self, message: Uuid, event: Uuid, version: u64) -> Result<(), MongoError> {
        let same = doc! { "_id": key(event), "version": version.cast_signed() };
        let unset = doc! { "$unset": { "seats_unpublished": "", "seats_unpublished_at": "" } };
        if self.events.change(Deadline::new(), "seats_published", same, unset).await? {
            self.known().due.remove(&event);
        } else {
            let from = Instant::now() + SEARCH_INTERVAL; // it has changed since
            let mut known = self.known();
            let due = known.due.entry(event).or_insert_with(|| Due::from(from));
            due.from = from;
            due.published(message);
        }
        Ok(())
    }
}

#[async_trait]
impl EntrySource for UnpublishedSeats {
    /// First the events whose seats this process released, then those that other processes left.
    async fn pending(&self, max: usize, is_leader: bool) -> Result<Vec<Entry>, MongoError> {
        let max = max.min(BATCH_MAX);
        let (own, search) = self.due(max, is_leader);
        if search {
            self.look().await?;
        }
        let mut events = self.own_unpublished(&own).await?;
        let room = max - events.len();
        if is_leader && search && room > 0 {
            events.extend(self.left_unpublished(&own, room).await?);
        }
        Ok(events.into_iter().map(|event| self.offer(&event)).collect())
    }

    fn unconfirmed(&self, id: Uuid) -> Option<Entry> {
        self.known().offered.get(&id).map(|(entry, ..)| entry.clone())
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), MongoError> {
        let published: Vec<_> = {
            let mut known = self.known();
            ids.iter().filter_map(|id| known.offered.remove(id)).collect()
        };
        for (entry, event, version) in published {
            self.seats_published(entry.message.id, event, version).await?;
        }
        Ok(())
    }

    fn backlog(&self) -> Backlog {
        *self.backlog.lock().expect("nothing panics while it holds this")
    }
}
