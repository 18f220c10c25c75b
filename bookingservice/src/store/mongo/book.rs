//! Booking: look, reserve, insert. The steps are those of the protocol in `steps.rs`.
//!
//! A write without an answer may have happened, so the request tries again, each time under a fresh `attempt`: the hold of
//! the old one may be gone, and its seats would leak. From the first such write on, "there is no such event" and "sold
//! out" are no answers any more.

use std::time::Duration;

use mongo::{
    error::{Deadline, MongoError},
    key,
    table::Inserted,
};
use mongodb::bson;

use super::{
    Shared,
    documents::{BookingDoc, EventDoc, Hold},
};
use crate::{
    domain::{Booked, Booking, NewBooking, Refused},
    store::Unavailable,
};

/// Before another try: long enough for a server to come to itself, short beside a request.
const PAUSE: Duration = Duration::from_millis(20);

type Answer = Result<Booked, Refused>;

/// One request, over all its tries.
pub(super) struct BookRequest<'a> {
    shared: &'a Shared,
    request: NewBooking,
    until: Deadline,
    /// Its own tries: a booking of one of them is its own.
    attempts: Vec<bson::Uuid>,
    /// Whether one of its writes has happened, or may have.
    begun: bool,
}

impl<'a> BookRequest<'a> {
    pub(super) fn new(shared: &'a Shared, request: NewBooking) -> Self {
        Self { shared, request, until: Deadline::new(), attempts: Vec::new(), begun: false }
    }

    pub(super) async fn run(mut self) -> Result<Answer, Unavailable> {
        loop {
            match self.attempt().await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(cause) if cause.may_pass() && !self.until.has_passed() => tokio::time::sleep(PAUSE).await,
                Err(_) => return Err(self.unavailable()),
            }
        }
    }

    fn unavailable(&self) -> Unavailable {
        if self.begun { Unavailable::OutcomeUnknown } else { Unavailable::Away }
    }

    /// Notes that a write may have happened.
    fn written<T>(&mut self, result: Result<T, MongoError>) -> Result<T, MongoError> {
        self.begun |= matches!(&result, Err(cause) if cause.may_have_written());
        result
    }

    /// One try; `None` where what it met has changed meanwhile.
    async fn attempt(&mut self) -> Result<Option<Answer>, MongoError> {
        if (self.request.has_key() || self.begun)
            && let Some(stored) = self.look().await?
        {
            return Ok(Some(self.found(stored)));
        }
        let attempt = bson::Uuid::new();
        self.attempts.push(attempt);
        let hold = Hold::of(&self.request, attempt);
        let reserved = self.shared.steps.reserve(self.until, key(self.request.event_id()), &hold).await;
        match self.written(reserved)? {
            Some(event) => self.make(&event, &hold).await.map(Some),
            None => self.not_reserved().await,
        }
    }

    async fn look(&self) -> Result<Option<BookingDoc>, MongoError> {
        self.shared.steps.look(self.until, key(self.request.id())).await
    }

    /// The seats are taken: makes the booking of a hold, whether it is our own or that of a request under the same key.
    async fn make(&mut self, event: &EventDoc, hold: &Hold) -> Result<Answer, MongoError> {
        self.begun = true; // the hold is there: if we stop here, the janitor makes the booking
        let (booking, entry) = BookingDoc::from_hold(event, hold);
        let inserted = self.shared.steps.insert(self.until, booking.clone()).await;
        let stored = match self.written(inserted)? {
            Inserted::New => {
                self.shared.booked(booking.clone(), entry);
                booking
            }
            Inserted::Duplicate => self.visible().await?,
        };
        if self.attempts.contains(&hold.attempt) {
            if stored.attempt == hold.attempt {
                self.shared.forget_later(event.id, hold.attempt);
            } else {
                // Where this fails the janitor does it; the answer is known all the same.
                let _ = self.shared.give_back(self.until, event.id, hold.attempt, hold.seats).await;
            }
        }
        Ok(self.found(stored))
    }

    /// The booking that was in the way. It may not be seen by a majority yet.
    async fn visible(&self) -> Result<BookingDoc, MongoError> {
        loop {
            if let Some(stored) = self.look().await? {
                return Ok(stored);
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The seats could not be taken. Why?
    async fn not_reserved(&mut self) -> Result<Option<Answer>, MongoError> {
        let event = self.shared.steps.event(self.until, key(self.request.event_id())).await?;
        let Some(event) = event else { return self.refuse(Refused::UnknownEvent).await };
        let booking = key(self.request.id());
        if let Some(hold) = event.holds.iter().find(|hold| hold.booking == booking && !hold.cancel) {
            return self.make(&event, hold).await.map(Some);
        }
        if let Err(refused) = event.seats().sell(&self.request) {
            return self.refuse(refused).await;
        }
        Ok(None) // seats came back just now
    }

    /// Looks once more: what stood in the way may have been the same request.
    async fn refuse(&self, cause: Refused) -> Result<Option<Answer>, MongoError> {
        if (self.request.has_key() || self.begun)
            && let Some(stored) = self.look().await?
        {
            return Ok(Some(self.found(stored)));
        }
        if self.begun {
            return Err(MongoError::Away("an earlier write of this request may have happened".into()));
        }
        Ok(Some(Err(cause)))
    }

    fn found(&self, stored: BookingDoc) -> Answer {
        if self.attempts.contains(&stored.attempt) {
            return Ok(Booked::New(stored.into()));
        }
        Booking::from(stored).replay(&self.request)
    }
}
