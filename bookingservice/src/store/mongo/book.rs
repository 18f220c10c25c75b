//! One booking: reserve the seats, insert the booking. The steps are those of the protocol in `steps.rs`.
//!
//! A write without an answer may have happened, so the request tries again, each time under a new `attempt`: the hold of the old
//! attempt may be removed already, and then its seats would be lost. After such a write "there is no such event" and "sold out" are
//! no possible answers any more.

use jiff::Timestamp;
use mongo::{
    error::{Deadline, MongoError},
    key,
    table::Inserted,
};
use mongodb::bson;

use super::{
    documents::{BookingDoc, EventDoc, Hold},
    steps::{RETRY_PAUSE, Shared},
};
use crate::{
    domain::{Booked, Booking, NewBooking, Refused, Seats},
    store::Unavailable,
};

type Answer = Result<Booked, Refused>;

/// One request for a booking, over all its tries.
pub(super) struct BookRequest<'a> {
    shared: &'a Shared,
    request: NewBooking,
    until: Deadline,
    /// Its own tries: a booking that one of them made is its own.
    attempts: Vec<bson::Uuid>,
    /// Whether one of its writes has happened, or may have.
    may_have_written: bool,
}

impl<'a> BookRequest<'a> {
    pub(super) fn new(shared: &'a Shared, request: NewBooking) -> Self {
        Self { shared, request, until: Deadline::new(), attempts: Vec::new(), may_have_written: false }
    }

    pub(super) async fn run(mut self) -> Result<Answer, Unavailable> {
        loop {
            match self.attempt().await {
                Ok(Some(answer)) => return Ok(answer),
                Ok(None) => {}
                Err(cause) if cause.may_pass() && !self.until.has_passed() => tokio::time::sleep(RETRY_PAUSE).await,
                Err(_) if self.may_have_written => return Err(Unavailable::OutcomeUnknown),
                Err(_) => return Err(Unavailable::Away),
            }
        }
    }

    /// Notes whether a write may have happened.
    fn note_write<T>(&mut self, result: Result<T, MongoError>) -> Result<T, MongoError> {
        self.may_have_written |= matches!(&result, Err(cause) if cause.may_have_written());
        result
    }

    /// One try; `None` where the event has changed between two steps, so that another try is needed.
    async fn attempt(&mut self) -> Result<Option<Answer>, MongoError> {
        if let Some(answer) = self.answer_if_booked().await? {
            return Ok(Some(answer));
        }
        let attempt = bson::Uuid::new();
        self.attempts.push(attempt);
        let hold = Hold::to_book(self.request.record(), attempt);
        let reserved = self.shared.steps.reserve(self.until, key(self.request.record().event_id), &hold).await;
        match self.note_write(reserved)? {
            Some(event) => {
                self.request.record().origin.as_ref().inspect(|origin| origin.reserved(Timestamp::now()));
                self.complete(&event, &hold).await.map(Some)
            }
            None => self.explain_refusal().await,
        }
    }

    /// The answer where the booking is there already. It can only be there under a key, or after an earlier write of this request.
    async fn answer_if_booked(&self) -> Result<Option<Answer>, MongoError> {
        if !self.request.record().has_key && !self.may_have_written {
            return Ok(None);
        }
        Ok(self.stored_booking().await?.map(|stored| self.answer(stored)))
    }

    async fn stored_booking(&self) -> Result<Option<BookingDoc>, MongoError> {
        self.shared.steps.booking(self.until, key(self.request.id())).await
    }

    /// The seats are taken: inserts the booking of a hold, whether it is our own hold or that of a request under the same key.
    async fn complete(&mut self, event: &EventDoc, hold: &Hold) -> Result<Answer, MongoError> {
        self.may_have_written = true; // the hold is there: if this request ends here, the janitor completes it
        let (booking, entry) = BookingDoc::from_hold(event, hold);
        let inserted = self.shared.steps.insert(self.until, booking.clone()).await;
        let stored = match self.note_write(inserted)? {
            Inserted::New => {
                let own = self.request.record().origin.as_ref().filter(|_| self.attempts.contains(&hold.attempt));
                self.shared.inserted(booking.clone(), entry, own);
                booking
            }
            Inserted::Duplicate => self.wait_until_visible().await?,
        };
        if self.attempts.contains(&hold.attempt) {
            if stored.attempt == hold.attempt {
                self.shared.hold_cleanup.add(event.id, hold.attempt);
            } else {
                // Where this fails the janitor does it; the answer is known all the same.
                let origin = self.request.record().origin.clone();
                let _ = self.shared.release(self.until, event.id, hold.attempt, hold.seats, origin).await;
            }
        }
        Ok(self.answer(stored))
    }

    /// The booking that was inserted by another request. It may take a moment until a majority of the servers has it.
    async fn wait_until_visible(&self) -> Result<BookingDoc, MongoError> {
        loop {
            if let Some(stored) = self.stored_booking().await? {
                return Ok(stored);
            }
            tokio::time::sleep(RETRY_PAUSE).await;
        }
    }

    /// The seats were not reserved. Finds out why; `None` where the cause is gone, and another try may succeed.
    async fn explain_refusal(&mut self) -> Result<Option<Answer>, MongoError> {
        let event = self.shared.steps.event(self.until, key(self.request.record().event_id)).await?;
        let Some(event) = event else { return self.refuse(Refused::UnknownEvent).await };
        let booking = key(self.request.id());
        if let Some(hold) = event.holds.iter().find(|hold| hold.booking == booking && !hold.cancel) {
            return self.complete(&event, hold).await.map(Some);
        }
        match Seats::from(event).sell(&self.request) {
            Err(refused) => self.refuse(refused).await,
            Ok(_) => Ok(None), // seats were released between the two steps
        }
    }

    /// Refuses, unless the same request has booked meanwhile.
    async fn refuse(&self, cause: Refused) -> Result<Option<Answer>, MongoError> {
        if let Some(answer) = self.answer_if_booked().await? {
            return Ok(Some(answer));
        }
        if self.may_have_written {
            return Err(MongoError::Away("an earlier write of this request may have happened".into()));
        }
        Ok(Some(Err(cause)))
    }

    /// A booking of one of our own tries is new; any other one was made before, under the same key.
    fn answer(&self, stored: BookingDoc) -> Answer {
        if self.attempts.contains(&stored.attempt) {
            return Ok(Booked::New(stored.into()));
        }
        let asked = self.request.record();
        Booking::from(stored).replay(asked.event_id, asked.seats)
    }
}
