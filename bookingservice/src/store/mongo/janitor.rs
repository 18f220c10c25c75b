//! Finishes what a request left behind: a process died, or an answer was lost. It goes forward where it can, never back:
//! a slow request may still come to its next step.
//!
//! It only looks at holds older than [`Pace::older_than`]. That is about who does the work; the steps are right whenever
//! they are done, and by however many processes at once.

use std::{
    collections::HashMap,
    sync::Mutex,
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
    Shared,
    documents::{BookingDoc, EventDoc, Hold},
    metrics::Repair,
};

/// Events that are looked at in one run.
const EVENTS_MAX: usize = 10_000;

/// How often it runs, and what it leaves alone.
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

/// What one run could not repair: attempts, and events that cannot be read.
#[derive(Default)]
pub(super) struct Stuck(HashMap<bson::Uuid, MongoError>);

impl Stuck {
    /// Goes on; or not, where the next one would fail the same way.
    fn add(&mut self, which: bson::Uuid, cause: MongoError) -> Result<(), MongoError> {
        match cause {
            MongoError::Away(_) | MongoError::Refused(_) => return Err(cause),
            MongoError::NotConnected | MongoError::Late | MongoError::Unreadable(_) | MongoError::Unknown(_) => {
                self.0.insert(which, cause)
            }
        };
        Ok(())
    }

    /// One line for all that was not stuck in the run before.
    fn tell(self, before: &Mutex<Self>) {
        let mut before = before.lock().expect("nothing panics while it holds this");
        let mut new = self.0.iter().filter(|(which, _)| !before.0.contains_key(*which));
        if let Some((which, cause)) = new.next() {
            let others = new.count();
            let which = id(*which);
            tracing::error!(
                %which,
                others,
                "a hold cannot be settled, its seats stay taken; it is tried again all the time: {cause}"
            );
        }
        *before = self;
    }
}

impl Shared {
    pub(super) async fn tidy_up(&self, pace: Pace) {
        loop {
            tokio::time::sleep(pace.every).await;
            if self.repair(pace.older_than).await.is_ok() {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                self.kept.janitor_ran(now.as_secs_f64());
            }
        }
    }

    /// One run: repairs all old holds, each by itself, and says how many. What stands in the way of one is tried again in
    /// the next run, and does not hold up the others.
    pub(super) async fn repair(&self, older_than: Duration) -> Result<usize, MongoError> {
        let before = DateTime::from_system_time(SystemTime::now() - older_than);
        // Only the ids: one event that cannot be read would be the end of all that are read with it.
        let filter = doc! { "holds.at": { "$lt": before } };
        let (sort, fields) = (doc! { "holds.at": 1 }, doc! { "_id": 1 });
        let select = Select { filter, sort, limit: EVENTS_MAX, fields };
        let events = self.steps.events.part::<Id>().select(Deadline::new(), select).await?;
        let (mut repaired, mut stuck) = (0, Stuck::default());
        for Id { id } in events {
            let event = match self.steps.event(Deadline::new(), id).await {
                Ok(Some(event)) => event,
                Ok(None) => continue,
                Err(cause) => {
                    stuck.add(id, cause)?;
                    continue;
                }
            };
            for hold in event.holds.iter().filter(|hold| hold.at < before) {
                let done = if hold.cancel {
                    self.repair_cancel(&event, hold).await
                } else {
                    self.repair_book(&event, hold).await
                };
                match done {
                    Ok(Some(action)) => {
                        self.kept.repaired(action);
                        repaired += 1;
                    }
                    Ok(None) => {}
                    Err(cause) => stuck.add(hold.attempt, cause)?,
                }
            }
        }
        stuck.tell(&self.stuck);
        Ok(repaired)
    }

    async fn repair_book(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        let until = Deadline::new();
        match self.steps.look(until, hold.booking).await? {
            None => {
                let (booking, entry) = BookingDoc::from_hold(event, hold);
                if self.steps.insert(until, booking.clone()).await? == Inserted::Duplicate {
                    return Ok(None); // the request woke up; the next run sees which
                }
                self.booked(booking, entry);
                self.steps.forget(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::Insert))
            }
            Some(booking) if booking.attempt == hold.attempt => {
                self.steps.forget(until, event.id, vec![hold.attempt]).await?;
                Ok(Some(Repair::Pull))
            }
            Some(_) => {
                self.give_back(until, event.id, hold.attempt, hold.seats).await?;
                Ok(Some(Repair::GiveBack))
            }
        }
    }

    async fn repair_cancel(&self, event: &EventDoc, hold: &Hold) -> Result<Option<Repair>, MongoError> {
        let until = Deadline::new();
        let Some(booking) = self.steps.look(until, hold.booking).await? else { return Ok(None) };
        if let Some(message) = booking.cancelled(hold.at) {
            let marked = self.steps.mark(until, hold.booking, hold.attempt, hold.at, &message).await?;
            let Some(marked) = marked else { return Ok(None) }; // somebody else did; the next run sees who
            self.cancelled(&marked, message);
            self.give_back(until, event.id, hold.attempt, hold.seats).await?;
            return Ok(Some(Repair::Cancel));
        }
        if booking.cancel_attempt == Some(hold.attempt) {
            self.give_back(until, event.id, hold.attempt, hold.seats).await?;
            return Ok(Some(Repair::GiveBack));
        }
        self.steps.forget(until, event.id, vec![hold.attempt]).await?;
        Ok(Some(Repair::Pull))
    }
}
