//! Cancelling: intend, mark, give back. The steps are those of the protocol in `steps.rs`.
//!
//! From the mark on the booking is cancelled, whatever happens to the seats: the hold of the intention stays with the event
//! until they are back, and the janitor sees to it.

use std::time::Duration;

use mongo::{
    error::{Deadline, MongoError},
    key,
};
use mongodb::bson;
use uuid::Uuid;

use super::{
    Shared,
    documents::{BookingDoc, Hold},
};
use crate::{
    domain::{Booking, Status},
    store::Unavailable,
};

const PAUSE: Duration = Duration::from_millis(20);

/// One request, over all its tries.
pub(super) struct Cancelling<'a> {
    shared: &'a Shared,
    booking: bson::Uuid,
    until: Deadline,
    /// Its own tries: a mark of one of them is its own, whoever made it.
    attempts: Vec<bson::Uuid>,
    begun: bool,
}

impl<'a> Cancelling<'a> {
    pub(super) fn new(shared: &'a Shared, booking: Uuid) -> Self {
        Self { shared, booking: key(booking), until: Deadline::new(), attempts: Vec::new(), begun: false }
    }

    pub(super) async fn run(mut self) -> Result<Option<Booking>, Unavailable> {
        loop {
            match self.attempt().await {
                Ok(Some(stored)) => return Ok(Some(stored.into())),
                Ok(None) => return if self.begun { Err(Unavailable::OutcomeUnknown) } else { Ok(None) },
                Err(cause) if cause.may_pass() && !self.until.has_passed() => tokio::time::sleep(PAUSE).await,
                Err(_) if self.begun => return Err(Unavailable::OutcomeUnknown),
                Err(_) => return Err(Unavailable::Away),
            }
        }
    }

    /// One try: the cancelled booking, or `None` where there is none.
    async fn attempt(&mut self) -> Result<Option<BookingDoc>, MongoError> {
        let steps = &self.shared.steps;
        let Some(stored) = steps.look(self.until, self.booking).await? else { return Ok(None) };
        let attempt = bson::Uuid::new();
        let hold = Hold::to_cancel(&stored, attempt);
        let Some(message) = stored.cancelled(hold.at) else { return Ok(Some(self.cancelled(stored).await)) };
        self.attempts.push(attempt);
        self.begun = true; // from here on the janitor may finish it
        if !steps.intend(self.until, stored.event, &hold).await? {
            return Err(MongoError::Away("the booking's event is not there".into()));
        }
        let marked = steps.mark(self.until, self.booking, attempt, hold.at, &message).await?;
        if let Some(marked) = marked {
            self.shared.cancelled(&marked, message);
            return Ok(Some(self.cancelled(marked).await));
        }
        loop {
            // Somebody was faster. The mark may not be seen by a majority yet.
            let stored = steps.look(self.until, self.booking).await?;
            if let Some(stored) = stored.filter(|stored| stored.status == Status::Cancelled) {
                if stored.cancel_attempt != Some(attempt) {
                    self.shared.forget_later(stored.event, attempt);
                }
                return Ok(Some(self.cancelled(stored).await));
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// It is cancelled: if by one of our tries, the seats are ours to give back. Where that fails the janitor does it.
    async fn cancelled(&self, stored: BookingDoc) -> BookingDoc {
        if let Some(ours) = stored.cancel_attempt.filter(|by| self.attempts.contains(by)) {
            let _ = self.shared.give_back(self.until, stored.event, ours, stored.seats).await;
        }
        stored
    }
}
