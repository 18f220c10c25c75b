//! The outbox of the bookings. The messages of bookings are in their documents. An event whose seats were released carries no
//! message, only the field `seats_unpublished`: its `SeatsChanged` is made when the relay asks, of the seats as they are then.
//!
//! The field is removed only if the event still has the version that was published; else the event is published again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use contracts::{Contract, SeatsChanged};
use jiff::Timestamp;
use messaging::{
    Entry, Message,
    outbox::{Backlog, Outbox, OutboxError},
};
use mongo::{
    Mongo,
    error::{Deadline, MongoError},
    id, key,
    outbox::MongoOutbox,
    table::{Select, Table},
};
use mongodb::bson::{self, doc};
use tokio::sync::Notify;
use uuid::Uuid;

use super::{
    documents::{BOOKINGS, EVENTS, EventDoc},
    steps::without_holds,
};
use crate::domain::Seats;

/// Before an event that has changed meanwhile is published again, and between two searches for those that other processes left.
const PAUSE: Duration = Duration::from_millis(500);

/// Events that are published at once.
const BATCH: usize = 256;

/// Events that wait to be published. More than these are found in the database.
const WAITING_MAX: usize = 10_000;

/// The messages of bookings, and the events whose seats are unpublished.
pub(super) struct BookingOutbox {
    pub(super) messages: Arc<MongoOutbox>,
    events: Table<EventDoc>,
    wake: Arc<Notify>,
    unpublished: Mutex<Unpublished>,
    seats_backlog: Mutex<Backlog>,
}

/// What this process knows of unpublished seats.
#[derive(Default)]
struct Unpublished {
    /// Events whose seats this process released, and from when on they may be published.
    due: HashMap<Uuid, Instant>,
    /// By the id of a message that was handed to the relay: its entry, its event, and the version of the event in it.
    offered: HashMap<Uuid, (Entry, Uuid, u64)>,
    /// When the database was last searched for those that other processes left.
    searched: Option<Instant>,
}

impl BookingOutbox {
    pub(super) fn new(mongo: &Mongo, wake: Arc<Notify>) -> Self {
        let messages = MongoOutbox::new(mongo, &[BOOKINGS], wake.clone());
        let events = Table::of(mongo, EVENTS);
        Self { messages, events, wake, unpublished: Mutex::default(), seats_backlog: Mutex::default() }
    }

    /// Seats of an event were released: their new number must be published.
    pub(super) fn seats_released(&self, event: bson::Uuid) {
        let mut unpublished = self.unpublished();
        if unpublished.due.len() < WAITING_MAX {
            unpublished.due.entry(id(event)).or_insert_with(Instant::now);
        }
        drop(unpublished);
        self.wake.notify_one();
    }

    /// How many events have unpublished seats, for the metrics.
    pub(super) fn set_seats_backlog(&self, backlog: Backlog) {
        *self.seats_backlog.lock().expect("nothing panics while it holds this") = backlog;
    }

    fn unpublished(&self) -> MutexGuard<'_, Unpublished> {
        self.unpublished.lock().expect("nothing panics while it holds this")
    }

    /// Messages of unpublished seats, as the seats are now: first of those that this process released, then of those that others left.
    async fn seats_to_publish(&self, max: usize) -> Result<Vec<Entry>, MongoError> {
        let (max, (own, search)) = (max.min(BATCH), self.due(max.min(BATCH)));
        let mut events = self.own_unpublished(&own).await?;
        let room = max - events.len();
        if search && room > 0 {
            events.extend(self.left_unpublished(own, room).await?);
        }
        Ok(events.into_iter().map(|event| self.offer(&event)).collect())
    }

    /// Which events of this process are due, and whether it is time to search for those that others left.
    fn due(&self, max: usize) -> (Vec<Uuid>, bool) {
        let (now, mut unpublished) = (Instant::now(), self.unpublished());
        let search = self.messages.leads() && unpublished.searched.is_none_or(|at| at.elapsed() >= PAUSE);
        if search {
            unpublished.searched = Some(now);
        }
        let due = unpublished.due.iter().filter(|(_, from)| **from <= now).map(|(event, _)| *event);
        (due.take(max).collect(), search)
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
        self.unpublished().due.retain(|event, _| !own.contains(event) || !is_published(event));
        Ok(events)
    }

    /// Events that other processes left unpublished.
    async fn left_unpublished(&self, own: Vec<Uuid>, max: usize) -> Result<Vec<EventDoc>, MongoError> {
        let before = MongoOutbox::left_over_before().as_microsecond();
        let own: Vec<_> = own.into_iter().map(key).collect();
        let filter = doc! { "seats_unpublished_at": { "$lt": before }, "_id": { "$nin": own } };
        let select = Select { filter, limit: max, fields: without_holds(), ..Select::default() };
        self.events.select(Deadline::new(), select).await
    }

    /// The message of an event's seats. Its id is made of the event and its version, so that it is the same in every try.
    fn offer(&self, event: &EventDoc) -> Entry {
        let message = Seats::from(event.clone()).seats_changed();
        let message = Message {
            id: Uuid::new_v5(&id(event.id), format!("{} {}", SeatsChanged::NAME, event.version).as_bytes()),
            name: SeatsChanged::NAME.to_owned(),
            body: message.to_json(),
            occurred_at: event
                .seats_unpublished_at
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .unwrap_or_else(Timestamp::now),
            traceparent: None,
            redriven: false,
        };
        let entry = Entry { message, mandatory: SeatsChanged::MANDATORY };
        let mut unpublished = self.unpublished();
        if unpublished.offered.len() >= WAITING_MAX {
            unpublished.offered.clear(); // they are offered again
        }
        unpublished.offered.insert(entry.message.id, (entry.clone(), id(event.id), event.version));
        entry
    }

    /// The seats of an event were published as of a version.
    async fn seats_published(&self, event: Uuid, version: u64) -> Result<(), MongoError> {
        let same = doc! { "_id": key(event), "version": version.cast_signed() };
        let unset = doc! { "$unset": { "seats_unpublished": "", "seats_unpublished_at": "" } };
        if self.events.change(Deadline::new(), "seats_published", same, unset).await? {
            self.unpublished().due.remove(&event);
        } else {
            self.unpublished().due.insert(event, Instant::now() + PAUSE); // it has changed since
        }
        Ok(())
    }
}

#[async_trait]
impl Outbox for BookingOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        // At most half of the batch is for seats, so that neither seats nor bookings wait until the other kind is published.
        let mut seats = self.seats_to_publish(max.div_ceil(2)).await?;
        let mut bookings = self.messages.pending(max - seats.len()).await?;
        if bookings.len() + seats.len() < max {
            bookings.append(&mut seats);
            return Ok(bookings);
        }
        seats.append(&mut bookings); // the seats are first, since the end of a full batch may be cut off
        Ok(seats)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        let seats: Vec<_> = {
            let mut unpublished = self.unpublished();
            ids.iter().filter_map(|id| unpublished.offered.remove(id)).collect()
        };
        self.messages.mark_published(ids).await?; // it passes over ids that are not its own
        for (_, event, version) in seats {
            self.seats_published(event, version).await?;
        }
        Ok(())
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        let Some((entry, event, version)) = self.unpublished().offered.remove(&id) else {
            return self.messages.dead_letter(id, queue, cause, attempts).await;
        };
        self.messages.dead_letters().set_aside(&entry, queue, cause, attempts).await?;
        Ok(self.seats_published(event, version).await?)
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        self.messages.request_resync().await
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        let seats = *self.seats_backlog.lock().expect("nothing panics while it holds this");
        let bookings = self.messages.backlog().await?;
        let oldest = bookings.oldest.into_iter().chain(seats.oldest).min();
        Ok(Backlog { pending: bookings.pending + seats.pending, oldest })
    }

    fn is_leader(&self) -> bool {
        self.messages.leads()
    }
}
