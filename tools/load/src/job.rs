//! One request, and what it is expected to come to. [`crate::choice`] says which one is next.

use hyper::Method;
use rest::Request;
use uuid::Uuid;

use crate::{
    inventory::{Booking, Order},
    mix::Kind,
};

/// Which service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Service {
    Events,
    Bookings,
}

/// A request.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    pub(crate) kind: Kind,
    pub(crate) service: Service,
    pub(crate) request: Request,
    /// Any other status is counted as unexpected.
    pub(crate) expected: &'static [u16],
    pub(crate) purpose: Purpose,
}

/// What the answer is for.
#[derive(Clone, Debug)]
pub(crate) enum Purpose {
    /// Service be measured.
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
    pub(crate) fn get(kind: Kind, service: Service, path: String) -> Self {
        Self::measured(kind, service, Request::get(path))
    }

    fn measured(kind: Kind, service: Service, request: Request) -> Self {
        Self { kind, service, request, expected: &[200], purpose: Purpose::Measure }
    }

    /// The seats of an event.
    pub(crate) fn look(event: usize, id: Uuid) -> Self {
        let get = Self::get(Kind::ReadSeats, Service::Bookings, format!("/events/{id}"));
        Self { purpose: Purpose::Look(event), ..get }
    }

    pub(crate) fn book(event: Uuid, order: Order) -> Self {
        let post = Self::measured(Kind::Book, Service::Bookings, booking(event, &order));
        Self { expected: &[201, 200], purpose: Purpose::Book(order), ..post }
    }

    pub(crate) fn repeat(event: Uuid, order: Order) -> Self {
        let post = Self::measured(Kind::Repeat, Service::Bookings, booking(event, &order));
        Self { purpose: Purpose::Repeat(order), ..post }
    }

    pub(crate) fn cancel(event: usize, booking: Booking) -> Self {
        let request = Request { method: Method::DELETE, ..Request::get(format!("/bookings/{}", booking.id)) };
        let delete = Self::measured(Kind::Cancel, Service::Bookings, request);
        Self { purpose: Purpose::Cancel(event, booking), ..delete }
    }

    /// One that must be refused; `event` is one that is there.
    pub(crate) fn bad(event: Uuid) -> Self {
        let index = fastrand::usize(..BAD_BODIES.len() + BAD_PATHS.len());
        if let Some((body, expected)) = BAD_BODIES.get(index) {
            let request = Request::post(format!("/events/{event}/bookings"), *body);
            return Self { expected, ..Self::measured(Kind::Bad, Service::Bookings, request) };
        }
        let (service, path, expected) = BAD_PATHS[index - BAD_BODIES.len()];
        Self { expected, ..Self::get(Kind::Bad, service, path.to_owned()) }
    }
}

/// `POST /events/{id}/bookings`
fn booking(event: Uuid, order: &Order) -> Request {
    let body = format!(r#"{{"seats":{},"user_id":"{}"}}"#, order.seats, order.user);
    Request { key: order.key.clone(), ..Request::post(format!("/events/{event}/bookings"), body) }
}

/// Bodies of a booking that must be refused, each with the status that is right.
const BAD_BODIES: [(&str, &[u16]); 7] = [
    (r#"{"seats":0}"#, &[422]),
    (r#"{"seats":101}"#, &[422]),
    (r#"{"seats":1,"user_id":""}"#, &[422]),
    (r#"{"seats":"two"}"#, &[400]),
    (r#"{"seats":1,"chairs":1}"#, &[400]),
    (r#"{"seats":1"#, &[400]),
    ("", &[400]),
];

/// Paths that find nothing, likewise.
const BAD_PATHS: [(Service, &str, &[u16]); 6] = [
    (Service::Events, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Events, "/events/one", &[400]),
    (Service::Events, "/events?limit=0", &[422]),
    (Service::Bookings, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Bookings, "/bookings/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Bookings, "/nowhere", &[404]),
];
