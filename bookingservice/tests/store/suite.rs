//! The cases every store must pass.

use std::{any::Any, future::Future, sync::Arc, time::Duration};

use bookingservice::{
    domain::{Booked, Booking, BookingDraft, NewBooking, Refused, Status},
    store::{Store, Unavailable},
};
use contracts::{EventCreated, Instant};
use messaging::{Effect, outbox::Outbox};
use metrics::Registry;
use paging::Cursor;
use uuid::Uuid;

/// An empty store with what belongs to it.
pub(crate) struct Fixture {
    pub(crate) store: Arc<dyn Store>,
    pub(crate) outbox: Arc<dyn Outbox>,
    pub(crate) registry: Registry,
    /// How often a request may have to be asked: a server's answer may be late on a busy machine.
    pub(crate) tries: usize,
    /// What must stay as long as the test runs.
    pub(crate) _kept: Box<dyn Any>,
}

impl Fixture {
    async fn event(&self, capacity: Option<u64>) -> Uuid {
        let event = event_for_an_hour(capacity);
        let id = event.id;
        assert_eq!(self.store.add_events(vec![event]).await.unwrap(), [Effect::Applied]);
        id
    }

    async fn messages(&self) -> Vec<String> {
        self.outbox.pending(1000).await.unwrap().into_iter().map(|entry| entry.message.name).collect()
    }

    fn metric(&self, name: &str) -> f64 {
        metric(&self.registry, name)
    }

    /// A gauge about all that is stored: where other processes store as well, it is right again every few seconds.
    async fn shows(&self, name: &str, value: f64) {
        let began = std::time::Instant::now();
        while self.metric(name) != value {
            assert!(began.elapsed() < Duration::from_secs(10), "{name} is {}, not {value}", self.metric(name));
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

/// The value of a metric without labels.
pub(crate) fn metric(registry: &Registry, name: &str) -> f64 {
    registry.value(name).unwrap()
}

/// An event that can be booked.
pub(crate) fn event_for_an_hour(capacity: Option<u64>) -> EventCreated {
    event(capacity, Instant::from_millis(Instant::now().as_millis() + 3_600_000).unwrap())
}

fn event(capacity: Option<u64>, end_date: Instant) -> EventCreated {
    let start_date = Instant::from_millis(0).unwrap();
    EventCreated { id: Uuid::now_v7(), name: "Tango".into(), location_id: None, start_date, end_date, capacity }
}

pub(crate) fn request(event_id: Uuid, seats: u64) -> NewBooking {
    asked(event_id, seats, None)
}

pub(crate) fn under_a_key(event_id: Uuid, seats: u64) -> NewBooking {
    asked(event_id, seats, Some(&Uuid::new_v4().to_string()))
}

pub(crate) fn asked(event_id: Uuid, seats: u64, key: Option<&str>) -> NewBooking {
    let (seats, user_id) = (seats.cast_signed(), Some("ann".to_owned()));
    NewBooking::new(BookingDraft { event_id, seats, user_id, key, origin: None }, Instant::now()).unwrap()
}

pub(crate) fn new(booked: Result<Booked, Refused>) -> Booking {
    match booked {
        Ok(Booked::New(booking)) => booking,
        other => panic!("not a new booking: {other:?}"),
    }
}

/// Runs it 64 times at once.
async fn at_once<F>(run: impl Fn() -> F) -> Vec<F::Output>
where
    F: Future + Send + 'static,
    F::Output: Send + 'static,
{
    let running: Vec<_> = (0..64).map(|_| tokio::spawn(run())).collect();
    let mut outputs = Vec::new();
    for task in running {
        outputs.push(task.await.unwrap());
    }
    outputs
}

pub(crate) async fn a_booking_takes_the_seats_and_leaves_its_message_in_the_outbox(f: &Fixture) {
    let event = f.event(Some(10)).await;
    let booking = new(f.store.book(request(event, 3)).await.unwrap());
    assert_eq!((booking.record().seats, booking.record().seq, booking.record().status), (3, 1, Status::Confirmed));
    assert_eq!(f.store.booking(booking.id()).await.unwrap(), Some(booking));
    let seats = f.store.event(event).await.unwrap().unwrap();
    assert_eq!((seats.left(), seats.record().booked, seats.record().version), (Some(7), 3, 1));
    assert_eq!(f.messages().await, ["eventBooked"]);
    assert_eq!(f.metric("myevents_booked_seats_total"), 3.0);
    f.shows("myevents_seat_changes", 1.0).await;
    f.shows("myevents_seats_confirmed", 3.0).await;
}

pub(crate) async fn an_unknown_event_a_sold_out_one_and_one_that_is_over_have_different_errors(f: &Fixture) {
    assert_eq!(f.store.book(request(Uuid::now_v7(), 1)).await.unwrap(), Err(Refused::UnknownEvent));
    let small = f.event(Some(2)).await;
    assert_eq!(f.store.book(request(small, 3)).await.unwrap(), Err(Refused::SoldOut { seats_left: 2 }));
    let over = event(Some(2), Instant::from_millis(1).unwrap());
    let over_id = over.id;
    f.store.add_events(vec![over]).await.unwrap();
    assert_eq!(f.store.book(request(over_id, 1)).await.unwrap(), Err(Refused::Over));
    assert_eq!(f.messages().await, [""; 0]);
}

pub(crate) async fn an_event_without_capacity_never_sells_out_and_shows_no_seats_left(f: &Fixture) {
    let event = f.event(None).await;
    for _ in 0..20 {
        new(f.store.book(request(event, 100)).await.unwrap());
    }
    let seats = f.store.event(event).await.unwrap().unwrap();
    assert_eq!((seats.record().capacity, seats.left(), seats.record().booked), (None, None, 2000));
    let last = f.outbox.pending(1000).await.unwrap().pop().unwrap();
    assert!(!String::from_utf8(last.message.body).unwrap().contains("seats_left"));
}

pub(crate) async fn the_same_id_books_once_also_at_once(f: &Fixture) {
    let event = f.event(Some(10)).await;
    let request = under_a_key(event, 2);
    let answers = at_once(|| {
        let (store, request) = (f.store.clone(), request.clone());
        async move { store.book(request).await.unwrap().unwrap() }
    })
    .await;
    let fresh = answers.iter().filter(|answer| matches!(answer, Booked::New(_))).count();
    let stored = f.store.booking(request.id()).await.unwrap().unwrap();
    assert_eq!(fresh, 1);
    for answer in answers {
        let (Booked::New(booking) | Booked::Replay(booking)) = answer;
        assert_eq!(booking, stored);
    }
    assert_eq!(f.store.event(event).await.unwrap().unwrap().left(), Some(8));
    assert_eq!(f.metric("myevents_bookings_accepted_total"), 1.0);
}

pub(crate) async fn a_key_cannot_book_something_else(f: &Fixture) {
    let (event, other) = (f.event(Some(10)).await, f.event(Some(10)).await);
    let key = Uuid::new_v4().to_string();
    new(f.store.book(asked(event, 2, Some(&key))).await.unwrap());
    let more = asked(event, 3, Some(&key));
    assert_eq!(f.store.book(more).await.unwrap(), Err(Refused::KeyInUse));
    let elsewhere = asked(other, 2, Some(&key));
    assert_eq!(f.store.book(elsewhere).await.unwrap(), Err(Refused::KeyInUse));
    assert_eq!(f.messages().await, ["eventBooked"]);
}

/// Cancels, and asks again where the answer was late, as clients do.
async fn cancelled(store: Arc<dyn Store>, booking: Uuid, tries: usize) -> Booking {
    for _ in 0..tries {
        match store.cancel(booking, None).await {
            Ok(cancelled) => return cancelled.unwrap(),
            Err(cause) => assert_eq!(cause, Unavailable::OutcomeUnknown),
        }
    }
    panic!("asked {tries} times, and never known");
}

pub(crate) async fn a_cancellation_releases_the_seats_once_also_at_once(f: &Fixture) {
    let event = f.event(Some(10)).await;
    let id = new(f.store.book(request(event, 4)).await.unwrap()).id();
    let answers = at_once(|| {
        let (store, tries) = (f.store.clone(), f.tries);
        async move { cancelled(store, id, tries).await }
    })
    .await;
    assert!(answers.iter().all(|answer| answer == &answers[0] && answer.record().status == Status::Cancelled));
    let seats = f.store.event(event).await.unwrap().unwrap();
    assert_eq!((seats.left(), seats.record().booked, seats.record().version), (Some(10), 0, 2));
    assert_eq!(f.messages().await, ["eventBooked", "bookingCancelled", "seatsChanged"]);
    assert_eq!(f.metric("myevents_cancelled_seats_total"), 4.0);
    f.shows("myevents_seats_confirmed", 0.0).await;
    assert_eq!(f.store.cancel(Uuid::now_v7(), None).await.unwrap(), None);
}

pub(crate) async fn a_replay_after_a_cancellation_gives_the_cancelled_booking(f: &Fixture) {
    let event = f.event(Some(10)).await;
    let request = under_a_key(event, 2);
    let booking = new(f.store.book(request.clone()).await.unwrap());
    let cancelled = f.store.cancel(booking.id(), None).await.unwrap().unwrap();
    assert_eq!(f.store.book(request).await.unwrap(), Ok(Booked::Replay(cancelled)));
}

pub(crate) async fn many_at_once_never_sell_more_than_there_is(f: &Fixture) {
    let event = f.event(Some(10)).await;
    let answers = at_once(|| {
        let (store, request) = (f.store.clone(), request(event, 1));
        async move { store.book(request).await.unwrap() }
    })
    .await;
    assert_eq!(answers.iter().filter(|answer| answer.is_ok()).count(), 10);
    let refused = answers.iter().filter(|answer| **answer == Err(Refused::SoldOut { seats_left: 0 }));
    assert_eq!(refused.count(), 54);
    let seats = f.store.event(event).await.unwrap().unwrap();
    assert_eq!((seats.left(), seats.record().booked, seats.record().version), (Some(0), 10, 10));
}

pub(crate) async fn pages_follow_the_order_of_booking(f: &Fixture) {
    let (event, other) = (f.event(Some(100)).await, f.event(Some(100)).await);
    let mut made = Vec::new();
    for _ in 0..7 {
        made.push(new(f.store.book(under_a_key(event, 1)).await.unwrap()));
        new(f.store.book(request(other, 1)).await.unwrap());
    }
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = f.store.bookings_of(event, after, 3).await.unwrap().unwrap();
        let Some(last) = page.last() else { break };
        after = Some(Cursor { number: last.record().seq.cast_signed(), id: last.id() });
        read.extend(page);
    }
    assert_eq!(read, made);
    assert_eq!(f.store.bookings_of(Uuid::now_v7(), None, 3).await.unwrap(), None);
}

pub(crate) async fn an_event_that_is_created_twice_is_not_changed(f: &Fixture) {
    let first = event(Some(10), Instant::from_millis(4_000_000_000_000).unwrap());
    let again = EventCreated { name: "Other".into(), capacity: None, ..first.clone() };
    let effects = f.store.add_events(vec![first.clone(), again]).await.unwrap();
    assert_eq!(effects, [Effect::Applied, Effect::Duplicate]);
    new(f.store.book(request(first.id, 1)).await.unwrap());
    assert_eq!(f.store.add_events(vec![first.clone()]).await.unwrap(), [Effect::Duplicate]);
    let stored = f.store.event(first.id).await.unwrap().unwrap();
    assert_eq!((stored.record().event_name.as_str(), stored.left()), ("Tango", Some(9)));
}
