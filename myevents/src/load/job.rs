//! One request, and what it is expected to come to.

use std::sync::Arc;

use bytes::Bytes;
use hyper::Method;

use super::{
    Shared, bad,
    client::Phase,
    mix::{Choice, Kind},
    stock::{Booking, Order},
};

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum To {
    Events,
    Bookings,
}

/// A request.
#[derive(Clone, Debug)]
pub(super) struct Job {
    pub(super) kind: Kind,
    pub(super) to: To,
    pub(super) method: Method,
    pub(super) path: String,
    /// A body of JSON.
    pub(super) body: Option<Bytes>,
    pub(super) key: Option<String>,
    /// Any other status is told as unexpected.
    pub(super) expected: &'static [u16],
    pub(super) purpose: Purpose,
}

/// What the answer is for.
#[derive(Clone, Debug)]
pub(super) enum Purpose {
    /// To be measured.
    Measure,
    /// The seats are taken afterwards.
    Book(Order),
    /// The same booking again.
    Repeat(Order),
    /// The seats are given back afterwards.
    Cancel(usize, Booking),
    /// Find bookings of earlier runs: the event, and where the page begins.
    Walk(usize, String),
    /// Learn how many seats of the event are sold.
    Look(usize),
}

impl Job {
    pub(super) fn get(kind: Kind, to: To, path: String) -> Self {
        let (method, purpose) = (Method::GET, Purpose::Measure);
        Self { kind, to, method, path, body: None, key: None, expected: &[200], purpose }
    }

    fn book(kind: Kind, event: &str, order: &Order) -> Self {
        let body = format!(r#"{{"seats":{},"user_id":"{}"}}"#, order.seats, order.user);
        let get = Self::get(kind, To::Bookings, format!("/events/{event}/bookings"));
        let (key, expected) = (order.key.clone(), &[201, 200][..]);
        Self { method: Method::POST, body: Some(body.into()), key, expected, ..get }
    }

    fn cancel(event: usize, booking: Booking) -> Self {
        let get = Self::get(Kind::Cancel, To::Bookings, format!("/bookings/{}", booking.id));
        Self { method: Method::DELETE, purpose: Purpose::Cancel(event, booking), ..get }
    }

    /// The next request of a client; `None` where the phase has nothing left to do.
    pub(super) fn next(shared: &Shared, phase: Phase, user: &Arc<str>) -> Option<Self> {
        let mut stock = shared.stock();
        if let Some(event) = stock.to_look_at() {
            return Some(look(&stock.events[event].id, event));
        }
        let seats = fastrand::u64(1..=4);
        let key = || {
            let keyed = fastrand::u32(0..100) < shared.plan.keyed;
            keyed.then(|| format!("{}-{:016x}", shared.run, fastrand::u64(..)))
        };
        let order = |event| Order { key: key(), user: user.clone(), event, seats };
        if phase == Phase::Fill {
            let order = order(stock.reserve_to_fill(seats)?);
            return Some(booking(&stock.events[order.event].id, order));
        }
        let choice = match shared.plan.shares.choose() {
            Choice::Read => return Some(read(&mut stock)),
            Choice::Bad => return Some(bad::job(&stock.events[stock.any()].id)),
            Choice::Repeat => match stock.any_keyed() {
                Some(order) => {
                    let job = Self::book(Kind::Repeat, &stock.events[order.event].id, &order);
                    return Some(Self { expected: &[200], purpose: Purpose::Repeat(order), ..job });
                }
                None => Choice::Book, // there is none yet
            },
            choice @ (Choice::Book | Choice::Cancel) => choice,
        };
        // At a bound, the one takes the place of the other; where neither can be, it is read.
        let cancel = |stock: &mut super::Stock| stock.release().map(|(event, booking)| Self::cancel(event, booking));
        let book =
            |stock: &mut super::Stock| stock.reserve(seats).map(|event| booking(&stock.events[event].id, order(event)));
        let job = match choice {
            Choice::Cancel => cancel(&mut stock).or_else(|| book(&mut stock)),
            Choice::Book | Choice::Read | Choice::Repeat | Choice::Bad => {
                book(&mut stock).or_else(|| cancel(&mut stock))
            }
        };
        Some(job.unwrap_or_else(|| read(&mut stock)))
    }
}

fn booking(event: &str, order: Order) -> Job {
    Job { purpose: Purpose::Book(order.clone()), ..Job::book(Kind::Book, event, &order) }
}

fn look(id: &str, event: usize) -> Job {
    let get = Job::get(Kind::ReadSeats, To::Bookings, format!("/events/{id}"));
    Job { purpose: Purpose::Look(event), ..get }
}

/// One of the five reads.
fn read(stock: &mut super::Stock) -> Job {
    let place = stock.any();
    let id = stock.events[place].id.clone();
    match fastrand::u8(0..10) {
        0..4 => Job::get(Kind::ReadEvent, To::Events, format!("/events/{id}")),
        4 => Job::get(Kind::ListEvents, To::Events, "/events".into()),
        5..7 => Job::get(Kind::ReadSeats, To::Bookings, format!("/events/{id}")),
        7 => match stock.events[place].walk.take() {
            Some(page) => {
                let get = Job::get(Kind::ListBookings, To::Bookings, format!("/events/{id}/bookings?limit=100{page}"));
                Job { purpose: Purpose::Walk(place, page), ..get }
            }
            None => Job::get(Kind::ListBookings, To::Bookings, format!("/events/{id}/bookings")),
        },
        _ => match stock.any_booking() {
            Some(booking) => Job::get(Kind::ReadBooking, To::Bookings, format!("/bookings/{booking}")),
            None => Job::get(Kind::ReadSeats, To::Bookings, format!("/events/{id}")),
        },
    }
}
