//! The rules together, without any store.

use contracts::Instant;
use proptest::prelude::*;
use uuid::Uuid;

use super::{Booked, Booking, Draft, EventOnSale, NewBooking, Refused, Seats, seats::UNLIMITED};

fn seats(capacity: Option<u64>, end_date: Instant) -> Seats {
    let (id, name, booked_seats, version) = (Uuid::now_v7(), "Tango".to_owned(), 0, 0);
    let on_sale = EventOnSale { id, name, capacity, seats_left: capacity, booked_seats, version };
    Seats::stored(on_sale, end_date, capacity.unwrap_or(UNLIMITED))
}

fn for_years() -> Instant {
    "2100-01-01T00:00:00Z".parse().unwrap()
}

fn request(event_id: Uuid, seats: i64) -> NewBooking {
    NewBooking::new(Draft { event_id, seats, user_id: None, key: None, traceparent: None }).unwrap()
}

fn under(key: &str, event_id: Uuid, seats: i64, user_id: Option<&str>) -> NewBooking {
    let user_id = user_id.map(str::to_owned);
    NewBooking::new(Draft { event_id, seats, user_id, key: Some(key), traceparent: None }).unwrap()
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
                Step::Book(number) => match seats.clone().sell(&request(seats.on_sale().id, number)) {
                    Ok(sale) => {
                        let (left, version) = (sale.message.seats_left, sale.message.version);
                        prop_assert_eq!((left, version), (sale.seats.on_sale().seats_left, sale.booking.seq));
                        prop_assert_eq!(sale.message.booked_seats, sale.seats.on_sale().booked_seats);
                        booked.push(sale.booking);
                        seats = sale.seats;
                    }
                    Err(refused) => {
                        prop_assert_eq!(refused, Refused::SoldOut { seats_left: before.left() });
                        prop_assert!(number.unsigned_abs() > before.left());
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
                    seats = seats.release(booking.seats);
                }
            }
            let taken: u64 = booked.iter().map(|booking| booking.seats).sum();
            prop_assert_eq!(seats.on_sale().booked_seats, taken);
            prop_assert_eq!(seats.left() + taken, capacity.unwrap_or(UNLIMITED));
            prop_assert_eq!(seats.on_sale().seats_left, capacity.map(|_| seats.left()));
            prop_assert_eq!(seats.on_sale().version, before.on_sale().version + 1);
        }
    }
}

#[test]
fn an_event_that_is_over_sells_nothing() {
    let asked = request(Uuid::now_v7(), 1);
    assert_eq!(seats(None, asked.at()).sell(&asked).unwrap_err(), Refused::Over);
    let later = Instant::from_millis(asked.at().as_millis() + 1).unwrap();
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
    let event = seats.on_sale().id;
    let first = under("k", event, 2, None);
    let stored = seats.sell(&first).unwrap().booking;
    assert_eq!(stored.clone().replay(&first), Ok(Booked::Replay(stored.clone())));
    for other in [under("k", event, 3, None), under("k", Uuid::now_v7(), 2, None)] {
        assert_eq!(stored.clone().replay(&other), Err(Refused::KeyInUse));
    }
}
