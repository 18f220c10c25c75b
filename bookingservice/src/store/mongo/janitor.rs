//! Finishes what a request left behind: a process died, or an answer was lost. It goes forward where it can, never back:
//! a slow request may still come to its next step.
//!
//! It only looks at holds older than [`Pace::older_than`]. That is about who does the work; the steps are right whenever
//! they are done, and by however many processes at once.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use mongodb::bson::{DateTime, doc};
use platform::mongo::{
    error::{Deadline, MongoError},
    table::{Inserted, Select},
};

use super::{
    Shared,
    documents::{BookingDoc, EventDoc, Hold},
    metrics::Repair,
};
use crate::domain::Status;

/// Events that are looked at in one run.
const BATCH: usize = 100;

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

    /// One run: repairs the old holds of some events, and says how many there were.
    pub(super) async fn repair(&self, older_than: Duration) -> Result<usize, MongoError> {
        let before = DateTime::from_system_time(SystemTime::now() - older_than);
        let filter = doc! { "holds.at": { "$lt": before } };
        let select = Select { filter, sort: doc! { "holds.at": 1 }, limit: BATCH, ..Select::default() };
        let mut repaired = 0;
        for event in self.steps.events.select(Deadline::new(), select).await? {
            for hold in event.holds.iter().filter(|hold| hold.at < before) {
                let done = if hold.cancel {
                    self.repair_cancel(&event, hold).await
                } else {
                    self.repair_book(&event, hold).await
                };
                if let Some(action) = done? {
                    self.kept.repaired(action);
                    repaired += 1;
                }
            }
        }
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
        if booking.status == Status::Confirmed {
            let message = booking.cancelled(hold.at);
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
