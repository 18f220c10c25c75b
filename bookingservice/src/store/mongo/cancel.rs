//! One cancellation: request it, mark the booking as cancelled, release the seats. The steps are those of the protocol in `steps.rs`.
//!
//! Once the booking is marked it is cancelled, whatever happens to the seats: the hold of the request stays with the event until the
//! seats are released, and the janitor releases them if this request does not.

use messaging::Entry;
use mongo::{
    error::{Deadline, MongoError},
    id, key,
};
use mongodb::bson;
use trace::Origin;
use uuid::Uuid;

use super::{
    documents::{BookingDoc, Hold},
    steps::{RETRY_PAUSE, Shared},
};
use crate::{
    domain::{Booking, Status},
    store::Unavailable,
};

/// One request to cancel, over all its tries.
pub(super) struct CancelRequest<'a> {
    shared: &'a Shared,
    booking: bson::Uuid,
    origin: Option<Origin>,
    until: Deadline,
    /// Its own tries. A booking that one of them has marked is its own to release, whichever process wrote the mark.
    attempts: Vec<bson::Uuid>,
    /// Whether one of its writes has happened, or may have.
    may_have_written: bool,
}

impl<'a> CancelRequest<'a> {
    pub(super) fn new(shared: &'a Shared, booking: Uuid, origin: Option<Origin>) -> Self {
        let (until, attempts) = (Deadline::new(), Vec::new());
        Self { shared, booking: key(booking), origin, until, attempts, may_have_written: false }
    }

    /// The cancelled booking, or `None` where there is no such booking.
    pub(super) async fn run(mut self) -> Result<Option<Booking>, Unavailable> {
        loop {
            match self.attempt().await {
                Ok(Some(stored)) => return Ok(Some(stored.into())),
                Ok(None) if self.may_have_written => return Err(Unavailable::OutcomeUnknown),
                Ok(None) => return Ok(None),
                Err(cause) if cause.may_pass() && !self.until.has_passed() => tokio::time::sleep(RETRY_PAUSE).await,
                Err(_) if self.may_have_written => return Err(Unavailable::OutcomeUnknown),
                Err(_) => return Err(Unavailable::Away),
            }
        }
    }

    /// One try: the cancelled booking, or `None` where there is no such booking.
    async fn attempt(&mut self) -> Result<Option<BookingDoc>, MongoError> {
        let steps = &self.shared.steps;
        let Some(stored) = steps.booking(self.until, self.booking).await? else { return Ok(None) };
        let attempt = bson::Uuid::new();
        let hold = Hold::to_cancel(&stored, attempt, self.origin.as_ref());
        let Some(message) = stored.cancellation(&hold) else {
            return Ok(Some(self.release_if_own(stored).await)); // cancelled already
        };
        self.attempts.push(attempt);
        self.may_have_written = true; // from here on the janitor may complete it
        if !steps.request_cancel(self.until, stored.event, &hold).await? {
            return Err(MongoError::Away("the booking's event is not there".into()));
        }
        let cancelled = self.mark_cancelled(&hold, message).await?;
        if cancelled.cancel_attempt != Some(attempt) {
            self.shared.hold_cleanup.add(cancelled.event, attempt); // the seats are released by the hold of another attempt
        }
        Ok(Some(self.release_if_own(cancelled).await))
    }

    /// Marks the booking as cancelled, or waits until the mark of another request can be read by a majority.
    async fn mark_cancelled(&self, hold: &Hold, message: Entry) -> Result<BookingDoc, MongoError> {
        let steps = &self.shared.steps;
        if let Some(marked) = steps.mark_cancelled(self.until, hold, &message).await? {
            self.shared.marked_cancelled(&marked, message, self.origin.as_ref());
            return Ok(marked);
        }
        loop {
            let stored = steps.booking(self.until, self.booking).await?;
            if let Some(stored) = stored.filter(|stored| stored.status == Status::Cancelled) {
                return Ok(stored);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// Releases the seats if one of our tries has marked the booking. Where that fails the janitor does it.
    async fn release_if_own(&self, stored: BookingDoc) -> BookingDoc {
        if let Some(own) = stored.cancel_attempt.filter(|by| self.attempts.contains(by)) {
            let _ = self.shared.release(self.until, stored.event, own, stored.seats, self.origin.clone()).await;
        } else if let Some(origin) = &self.origin {
            origin.repeats(id(stored.id));
        }
        stored
    }
}
