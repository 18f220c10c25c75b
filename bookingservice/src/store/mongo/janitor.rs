//! Completes what a request left behind when its process died or an answer was lost. It completes a request where it can and never
//! undoes one, since a slow request may still come to its next step.
//!
//! It only looks at holds older than [`Pace::older_than`]. That decides who does the work; the steps are right at any time, and in any
//! number of processes at once.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use mongo::{
    error::{Deadline, MongoError},
    id,
    table::{Inserted, Select},
};
use mongodb::bson::{self, DateTime, doc};
use serde::{Deserialize, Serialize};

use super::{
    documents::{BookingDoc, EventDoc, Hold},
    metrics::Repair,
    shared::Shared,
};

/// Events that are looked at in one run.
const EVENTS_MAX: usize = 10_000;

/// How often the janitor runs, and which holds it leaves alone.
#[derive(Clone, Copy, Debug)]
pub struct Pace {
    /// Younger holds belong to requests that run. Longer than any request, and by how much the clocks of replicas differ.
    pub older_than: Duration,
    /// How often it looks.
    pub every: Duration,
}

impl Default for Pace {
    fn default() -> Self {
        Self { older_than: Duration::from_secs(10), every: Duration::from_secs(2) }
    }
}

/// The part of an event that says which one it is.
#[derive(Debug, Serialize, Deserialize)]
struct Id {
    #[serde(rename = "_id")]
    id: bson::Uuid,
}

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
    /// Of its last run.
    not_repaired: Mutex<NotRepaired>,
}

impl Janitor {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, not_repaired: Mutex::default() }
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
        let before = DateTime::from_system_time(SystemTime::now() - older_than);
        let (mut repaired, mut not_repaired) = (0, NotRepaired::default());
        for Id { id } in self.events_with_holds(before).await? {
            let event = match steps.event(Deadline::new(), id).await {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(cause) => {
                    not_repaired.add(id, cause)?;
                    continue;
                }
            };
            for hold in event.holds.iter().filter(|hold| hold.at < before) {
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

    /// Only the ids: if whole events were read, one that cannot be read would fail the read of all.
    async fn events_with_holds(&self, before: DateTime) -> Result<Vec<Id>, MongoError> {
        let filter = doc! { "holds.at": { "$lt": before } };
        let (sort, fields) = (doc! { "holds.at": 1 }, doc! { "_id": 1 });
        let select = Select { filter, sort, limit: EVENTS_MAX, fields };
        self.shared.steps.events.part::<Id>().select(Deadline::new(), select).await
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
                self.shared.inserted(booking, entry);
                steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::Insert))
            }
            Some(booking) if booking.attempt == hold.attempt => {
                steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::RemoveHold))
            }
            Some(_) => {
                self.shared.release(until, event.id, hold.attempt, hold.seats).await?;
                Ok(Some(Repair::Release))
            }
        }
    }

    async fn complete_cancel(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        let (until, steps) = (Deadline::new(), &self.shared.steps);
        let Some(booking) = steps.booking(until, hold.booking).await? else { return Ok(None) };
        if let Some(message) = booking.cancellation(hold.at) {
            let Some(marked) = steps.mark_cancelled(until, hold, &message).await? else {
                return Ok(None); // another request has marked it; the next run sees which
            };
            self.shared.marked_cancelled(&marked, message);
            self.shared.release(until, event.id, hold.attempt, hold.seats).await?;
            return Ok(Some(Repair::Cancel));
        }
        if booking.cancel_attempt == Some(hold.attempt) {
            self.shared.release(until, event.id, hold.attempt, hold.seats).await?;
            return Ok(Some(Repair::Release));
        }
        steps.remove_holds(until, event.id, vec![hold.attempt]).await?;
        Ok(Some(Repair::RemoveHold))
    }
}
