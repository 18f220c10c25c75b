//! The rules together, without any store.

use contracts::{EventCreated, Instant};
use proptest::prelude::*;
use uuid::Uuid;

use super::{Booked, Booking, BookingDraft, NewBooking, Refused, Seats, seats::UNLIMITED};

fn seats(capacity: Option<u64>, end_date: Instant) -> Seats {
    let (id, name, start_date) = (Uuid::now_v7(), "Tango".to_owned(), Instant::now());
    Seats::new(EventCreated { id, name, location_id: None, start_date, end_date, capacity })
}

fn for_years() -> Instant {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

fn request(event_id: Uuid, seats: i64) -> NewBooking {
    NewBooking::new(BookingDraft { event_id, seats, user_id: None, key: None, origin: None }, Instant::now()).unwrap()
}

fn under(key: &str, event_id: Uuid, seats: i64, user_id: Option<&str>) -> NewBooking {
    let user_id = user_id.map(str::to_owned);
    NewBooking::new(BookingDraft { event_id, seats, user_id, key: Some(key), origin: None }, Instant::now()).unwrap()
}

#[derive(Clone, Debug)]
enum Step {
    Book(i64),
    /// One of those that were booked.
    Cancel(prop::sample::Index),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![(1..=100i64).prop_map(Step::Book), any::<prop::sample::Index>().prop_map(Step::Cancel)];
    prop::collection::vec(step, 1..60)
}

proptest! {
    /// Whatever is booked and cancelled: no seat is sold twice or lost, and each change has the next version and tells the truth.
    #[test]
    fn no_seat_is_sold_twice_and_none_is_lost(capacity in prop::option::of(1..300u64), steps in steps()) {
        let mut seats = seats(capacity, for_years());
        let mut booked: Vec<Booking> = Vec::new();
        for step in steps {
            let before = seats.clone();
            match step {
                Step::Book(number) => match seats.clone().sell(&request(seats.record().event_id, number)) {
                    Ok(sale) => {
                        let (left, version) = (sale.message.seats_left, sale.message.version);
                        prop_assert_eq!((left, version), (sale.seats.left(), sale.booking.record().seq));
                        prop_assert_eq!(sale.message.booked_seats, sale.seats.record().booked);
                        booked.push(sale.booking);
                        seats = sale.seats;
                    }
                    Err(refused) => {
                        prop_assert_eq!(refused, Refused::SoldOut { seats_left: before.record().left });
                        prop_assert!(number.unsigned_abs() > before.record().left);
                        continue;
                    }
                },
                Step::Cancel(which) => {
                    if booked.is_empty() {
                        continue;
                    }
                    let mut booking = booked.swap_remove(which.index(booked.len()));
                    prop_assert!(booking.cancel(Instant::now()).is_some());
                    prop_assert!(booking.cancel(Instant::now()).is_none(), "its seats would come back twice");
                    seats = seats.release(booking.record().seats).unwrap();
                }
            }
            let taken: u64 = booked.iter().map(|booking| booking.record().seats).sum();
            prop_assert_eq!(seats.record().booked, taken);
            prop_assert_eq!(seats.record().left + taken, capacity.unwrap_or(UNLIMITED));
            prop_assert_eq!(seats.left(), capacity.map(|_| seats.record().left));
            prop_assert_eq!(seats.record().version, before.record().version + 1);
        }
    }
}

#[test]
fn an_event_that_is_over_sells_nothing() {
    let asked = request(Uuid::now_v7(), 1);
    let at = asked.record().at;
    assert_eq!(seats(None, at).sell(&asked).unwrap_err(), Refused::Over);
    let later = Instant::from_millis(at.as_millis() + 1).unwrap();
    assert!(seats(None, later).sell(&asked).is_ok());
}

#[test]
fn the_same_user_and_key_give_the_same_id_and_others_do_not() {
    let event = Uuid::now_v7();
    let id = |key, seats, user| under(key, event, seats, user).id();
    assert_eq!(id("k", 1, None), id("k", 2, Some("guest")));
    assert_ne!(id("k", 1, None), id("k", 1, Some("ann")));
    assert_ne!(id("k", 1, None), id("l", 1, None));
    assert_ne!(request(event, 1).id(), request(event, 1).id());
}

#[test]
fn a_key_that_has_booked_something_else_is_refused() {
    let seats = seats(Some(10), for_years());
    let event = seats.record().event_id;
    let first = under("k", event, 2, None);
    let stored = seats.sell(&first).unwrap().booking;
    assert_eq!(stored.clone().replay(event, 2), Ok(Booked::Replay(stored.clone())));
    for (other, seats) in [(event, 3_i64), (Uuid::now_v7(), 2)] {
        assert_eq!(under("k", other, seats, None).id(), stored.id());
        assert_eq!(stored.clone().replay(other, seats.unsigned_abs()), Err(Refused::KeyInUse));
    }
}

#[test]
fn more_seats_than_are_booked_cannot_be_released() {
    let event = seats(Some(10), for_years());
    let sold = event.clone().sell(&request(event.record().event_id, 3)).unwrap().seats;
    assert_eq!(sold.clone().release(4), None);
    assert_eq!(sold.release(3).unwrap().left(), Some(10));
}
