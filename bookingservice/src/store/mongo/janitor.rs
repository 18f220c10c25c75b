//! Completes what a request left behind when its process died or an answer was lost. It completes a request where it can and never
//! undoes one, since a slow request may still come to its next step.
//!
//! It only looks at holds that it has seen for [`Pace::older_than`], by its own clock. That decides who does the work; the steps are right at any time, and in any
//! number of processes at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mongo::{
    error::{Deadline, MongoError},
    id,
    outbox::FirstSeen,
    table::{Inserted, Select},
};
use mongodb::bson::{self, DateTime, Document, deserialize_from_bson, doc};
use serde::{Deserialize, Serialize};

use super::{
    documents::{BookingDoc, EventDoc, Hold},
    metrics::Repair,
    steps::Shared,
};

/// Events that are looked at in one run.
const EVENTS_MAX: usize = 10_000;

/// How often the janitor runs, and which holds it leaves alone.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// A hold that was first seen later belongs to a request that runs. Longer than any request.
    pub older_than: Duration,
    /// How often it looks.
    pub every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { older_than: Duration::from_secs(10), every: Duration::from_secs(2) }
    }
}

/// The part of an event that says which holds it has.
#[derive(Debug, Serialize, Deserialize)]
struct WithHolds {
    #[serde(rename = "_id")]
    id: bson::Uuid,
    holds: Vec<Document>,
}

/// An event, and an attempt that has left a hold there. The event twice, if the attempt cannot be read.
type HoldOf = (bson::Uuid, bson::Uuid);

/// What one run could not repair: by attempt, or by event where the event cannot be read.
#[derive(Default)]
struct NotRepaired(HashMap<bson::Uuid, MongoError>);

impl NotRepaired {
    /// Notes a failure; gives it back where the next repair would fail the same way.
    fn add(&mut self, which: bson::Uuid, cause: MongoError) -> Result<(), MongoError> {
        match cause {
            MongoError::Away(_) | MongoError::Refused(_) => return Err(cause),
            MongoError::NotConnected | MongoError::Late | MongoError::Unreadable(_) | MongoError::Unknown(_) => {
                self.0.insert(which, cause)
            }
        };
        Ok(())
    }

    /// Logs one line for all failures that were not there in the run before.
    fn log_new(self, before: &Mutex<Self>) {
        let mut before = before.lock().expect("nothing panics while it holds this");
        let mut new = self.0.iter().filter(|(which, _)| !before.0.contains_key(*which));
        if let Some((which, cause)) = new.next() {
            let others = new.count();
            let which = id(*which);
            tracing::error!(
                %which,
                others,
                "a hold cannot be completed, its seats stay taken; it is tried again all the time: {cause}"
            );
        }
        *before = self;
    }
}

/// The task that completes what requests left behind.
pub(super) struct Janitor {
    shared: Arc<Shared>,
    /// The holds that were there at its last run.
    seen: Mutex<FirstSeen<HoldOf>>,
    /// Of its last run.
    not_repaired: Mutex<NotRepaired>,
}

impl Janitor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, seen: Mutex::default(), not_repaired: Mutex::default() }
    }

    pub(super) async fn run(&self, pace: Pace) {
        loop {
            tokio::time::sleep(pace.every).await;
            if self.repair(pace.older_than).await.is_ok() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                self.shared.hold_metrics.last_run.set(now.as_secs_f64());
            }
        }
    }

    /// One run: repairs all old holds, each by itself, and says how many. What fails is tried again in the next run, and does not
    /// hold up the others.
    pub(super) async fn repair(&self, older_than: Duration) -> Result<usize, MongoError> {
        let steps = &self.shared.steps;
        let (mut repaired, mut not_repaired) = (0, NotRepaired::default());
        let old = self.old_holds(older_than).await?;
        for holds in old.chunk_by(|(event, _), (next, _)| event == next) {
            let id = holds[0].0;
            let event = match steps.event(Deadline::new(), id).await {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(cause) => {
                    not_repaired.add(id, cause)?;
                    continue;
                }
            };
            for hold in event.holds.iter().filter(|hold| holds.contains(&(id, hold.attempt))) {
                match self.complete(&event, hold).await {
                    Ok(Some(action)) => {
                        self.shared.hold_metrics.repaired(action);
                        repaired += 1;
                    }
                    Ok(None) => {}
                    Err(cause) => not_repaired.add(hold.attempt, cause)?,
                }
            }
        }
        not_repaired.log_new(&self.not_repaired);
        Ok(repaired)
    }

    /// Only the ids are read: if whole events were, one that cannot be read would fail the read of all. In no order: the time of a
    /// hold is by the clock of its writer, and the server would have to sort them all.
    async fn old_holds(&self, older_than: Duration) -> Result<Vec<HoldOf>, MongoError> {
        let filter = doc! { "holds.at": { "$gt": DateTime::MIN } };
        let select = Select { filter, limit: EVENTS_MAX, fields: doc! { "holds.attempt": 1 }, ..Select::default() };
        let events = self.shared.steps.events.part::<WithHolds>().select(Deadline::new(), select).await?;
        let attempt = |hold: &Document| deserialize_from_bson(hold.get("attempt")?.clone()).ok();
        let there = events
            .iter()
            .flat_map(|WithHolds { id, holds }| holds.iter().map(move |hold| (*id, attempt(hold).unwrap_or(*id))));
        let mut seen = self.seen.lock().expect("nothing panics while it holds this");
        seen.look(there);
        Ok(seen.older_than(older_than))
    }

    async fn complete(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        if hold.cancel { self.complete_cancel(event, hold).await } else { self.complete_book(event, hold).await }
    }

    async fn complete_book(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        let (until, steps) = (Deadline::new(), &self.shared.steps);
        match steps.booking(until, hold.booking).await? {
            None => {
                let (booking, entry) = BookingDoc::from_hold(event, hold);
                if steps.insert(until, booking.clone()).await? == Inserted::Duplicate {
                    return Ok(None); // the request inserts it itself; the next run sees whose booking it is
                }
                self.shared.inserted(booking, entry, None);
                steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::Insert))
            }
            Some(booking) if booking.attempt == hold.attempt => {
                steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::RemoveHold))
            }
            Some(_) => {
                let origin = self.shared.resumed(hold.traceparent.as_deref());
                self.shared.release(until, event.id, hold.attempt, hold.seats, origin).await?;
                Ok(Some(Repair::Release))
            }
        }
    }

    async fn complete_cancel(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        let (until, steps) = (Deadline::new(), &self.shared.steps);
        let Some(booking) = steps.booking(until, hold.booking).await? else { return Ok(None) };
        if let Some(message) = booking.cancellation(hold) {
            let Some(marked) = steps.mark_cancelled(until, hold, &message).await? else {
                return Ok(None); // another request has marked it; the next run sees which
            };
            let origin = self.shared.marked_cancelled(&marked, message, None);
            self.shared.release(until, event.id, hold.attempt, hold.seats, origin).await?;
            return Ok(Some(Repair::Cancel));
        }
        if booking.cancel_attempt == Some(hold.attempt) {
            let origin = self.shared.resumed(hold.traceparent.as_deref());
            self.shared.release(until, event.id, hold.attempt, hold.seats, origin).await?;
            return Ok(Some(Repair::Release));
        }
        steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
        Ok(Some(Repair::RemoveHold))
    }
}
