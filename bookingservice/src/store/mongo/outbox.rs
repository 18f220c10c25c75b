//! The outbox of the bookings, and `tell`: an event whose seats came back carries no message, only `untold`, and what is
//! told is how its seats are at that moment.
//!
//! `untold` goes only if the version is still the one that was told; else the event is told again.

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

/// Before an event is told again that changed meanwhile, and between two looks for those that others left untold.
const PAUSE: Duration = Duration::from_millis(500);

/// Events that are told at once.
const BATCH: usize = 256;

/// Events that wait to be told. More than these are found in the database.
const WAITING_MAX: usize = 10_000;

/// Bookings' messages and untold events.
pub(super) struct BookingOutbox {
    pub(super) messages: Arc<MongoOutbox>,
    events: Table<EventDoc>,
    wake: Arc<Notify>,
    tells: Mutex<Tells>,
    backlog: Mutex<Backlog>,
}

#[derive(Default)]
struct Tells {
    /// Events whose seats this process gave back, and from when on they may be told.
    due: HashMap<Uuid, Instant>,
    /// What was handed to the relay: the entry, and which version of which event it tells.
    offered: HashMap<Uuid, (Entry, Uuid, u64)>,
    looked: Option<Instant>,
}

impl BookingOutbox {
    pub(super) fn new(mongo: &Mongo, wake: Arc<Notify>) -> Self {
        let messages = MongoOutbox::new(mongo, &[BOOKINGS], wake.clone());
        Self { messages, events: Table::of(mongo, EVENTS), wake, tells: Mutex::default(), backlog: Mutex::default() }
    }

    /// Seats of an event came back: it must be told.
    pub(super) fn seats_came_back(&self, event: bson::Uuid) {
        let mut tells = self.tells();
        if tells.due.len() < WAITING_MAX {
            tells.due.entry(id(event)).or_insert_with(Instant::now);
        }
        drop(tells);
        self.wake.notify_one();
    }

    /// How much is untold, for the metrics.
    pub(super) fn untold(&self, backlog: Backlog) {
        *self.backlog.lock().expect("nothing panics while it holds this") = backlog;
    }

    fn tells(&self) -> MutexGuard<'_, Tells> {
        self.tells.lock().expect("nothing panics while it holds this")
    }

    /// What there is to tell, as it is now.
    async fn to_tell(&self, max: usize) -> Result<Vec<Entry>, MongoError> {
        let now = Instant::now();
        let (own, look) = {
            let mut tells = self.tells();
            let look = self.messages.leads() && tells.looked.is_none_or(|at| at.elapsed() >= PAUSE);
            if look {
                tells.looked = Some(now);
            }
            let due = tells.due.iter().filter(|(_, from)| **from <= now).map(|(event, _)| *event);
            (due.take(max.min(BATCH)).collect::<Vec<_>>(), look)
        };
        let mut untold = Vec::new();
        if !own.is_empty() {
            let keys: Vec<_> = own.iter().copied().map(key).collect();
            let select = Select {
                filter: doc! { "_id": { "$in": keys }, "untold": true },
                fields: without_holds(),
                ..Select::default()
            };
            untold = self.events.select(Deadline::new(), select).await?;
            // The others were told by somebody else.
            let told = |event: &Uuid| !untold.iter().any(|untold| id(untold.id) == *event);
            self.tells().due.retain(|event, _| !own.contains(event) || !told(event));
        }
        let room = max.min(BATCH) - untold.len();
        if look && room > 0 {
            let before = MongoOutbox::left_over_before().as_microsecond();
            let filter = doc! { "untold_at": { "$lt": before }, "_id": { "$nin": own.into_iter().map(key).collect::<Vec<_>>() } };
            let select = Select { filter, limit: room, fields: without_holds(), ..Select::default() };
            untold.extend(self.events.select(Deadline::new(), select).await?);
        }
        Ok(untold.into_iter().map(|event| self.offer(&event)).collect())
    }

    fn offer(&self, event: &EventDoc) -> Entry {
        let message = event.on_sale().seats_changed();
        let message = Message {
            // The same in every try.
            id: Uuid::new_v5(&id(event.id), format!("{} {}", SeatsChanged::NAME, event.version).as_bytes()),
            name: SeatsChanged::NAME.to_owned(),
            body: message.to_json(),
            occurred_at: event
                .untold_at
                .and_then(|at| Timestamp::from_microsecond(at).ok())
                .unwrap_or_else(Timestamp::now),
            traceparent: None,
            redriven: false,
        };
        let entry = Entry { message, mandatory: SeatsChanged::MANDATORY };
        let mut tells = self.tells();
        if tells.offered.len() >= WAITING_MAX {
            tells.offered.clear(); // they are offered again
        }
        tells.offered.insert(entry.message.id, (entry.clone(), id(event.id), event.version));
        entry
    }

    /// An event was told as of a version.
    async fn told(&self, event: Uuid, version: u64) -> Result<(), MongoError> {
        let same = doc! { "_id": key(event), "version": version.cast_signed() };
        let unset = doc! { "$unset": { "untold": "", "untold_at": "" } };
        if self.events.change(Deadline::new(), "told", same, unset).await? {
            self.tells().due.remove(&event);
        } else {
            self.tells().due.insert(event, Instant::now() + PAUSE); // it has changed since
        }
        Ok(())
    }
}

#[async_trait]
impl Outbox for BookingOutbox {
    async fn pending(&self, max: usize) -> Result<Vec<Entry>, OutboxError> {
        // Half of the batch at most is for what is to tell, so that neither it nor the messages wait for the other to end.
        let mut tells = self.to_tell(max.div_ceil(2)).await?;
        let mut messages = self.messages.pending(max - tells.len()).await?;
        if messages.len() + tells.len() < max {
            messages.append(&mut tells);
            return Ok(messages);
        }
        tells.append(&mut messages); // first, as a batch may be cut
        Ok(tells)
    }

    async fn mark_published(&self, ids: &[Uuid]) -> Result<(), OutboxError> {
        let told: Vec<_> = {
            let mut tells = self.tells();
            ids.iter().filter_map(|id| tells.offered.remove(id)).collect()
        };
        self.messages.mark_published(ids).await?; // it passes over ids that are not its own
        for (_, event, version) in told {
            self.told(event, version).await?;
        }
        Ok(())
    }

    async fn dead_letter(&self, id: Uuid, queue: &str, cause: &str, attempts: u32) -> Result<(), OutboxError> {
        let Some((entry, event, version)) = self.tells().offered.remove(&id) else {
            return self.messages.dead_letter(id, queue, cause, attempts).await;
        };
        self.messages.dead_letters().set_aside(&entry, queue, cause, attempts).await?;
        Ok(self.told(event, version).await?)
    }

    async fn request_resync(&self) -> Result<(), OutboxError> {
        self.messages.request_resync().await
    }

    async fn backlog(&self) -> Result<Backlog, OutboxError> {
        let (messages, untold) =
            (self.messages.backlog().await?, *self.backlog.lock().expect("nothing panics while it holds this"));
        let oldest = messages.oldest.into_iter().chain(untold.oldest).min();
        Ok(Backlog { pending: messages.pending + untold.pending, oldest })
    }

    fn is_leader(&self) -> bool {
        self.messages.leads()
    }
}
