//! One request, and what it is expected to come to. [`crate::choice`] says which one is next.

use hyper::Method;
use rest::Request;

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
        Self { kind, service, request: Request::get(path), expected: &[200], purpose: Purpose::Measure }
    }

    /// The seats of an event.
    pub(crate) fn look(event: usize, id: &str) -> Self {
        let get = Self::get(Kind::ReadSeats, Service::Bookings, format!("/events/{id}"));
        Self { purpose: Purpose::Look(event), ..get }
    }

    pub(crate) fn book(event: &str, order: Order) -> Self {
        let request = booking(event, &order);
        let get = Self::get(Kind::Book, Service::Bookings, String::new());
        Self { request, expected: &[201, 200], purpose: Purpose::Book(order), ..get }
    }

    pub(crate) fn repeat(event: &str, order: Order) -> Self {
        let request = booking(event, &order);
        let get = Self::get(Kind::Repeat, Service::Bookings, String::new());
        Self { request, purpose: Purpose::Repeat(order), ..get }
    }

    pub(crate) fn cancel(event: usize, booking: Booking) -> Self {
        let request = Request { method: Method::DELETE, ..Request::get(format!("/bookings/{}", booking.id)) };
        let get = Self::get(Kind::Cancel, Service::Bookings, String::new());
        Self { request, purpose: Purpose::Cancel(event, booking), ..get }
    }
}

/// `POST /events/{id}/bookings`
fn booking(event: &str, order: &Order) -> Request {
    let body = format!(r#"{{"seats":{},"user_id":"{}"}}"#, order.seats, order.user);
    let get = Request::get(format!("/events/{event}/bookings"));
    Request { method: Method::POST, body: Some(body.into()), key: order.key.clone(), ..get }
}
