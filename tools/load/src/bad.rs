//! Requests that must be refused, each with the status that is right.

use hyper::Method;
use rest::Request;

use crate::{
    job::{Job, Service},
    mix::Kind,
};

/// What follows `/events/{id}/bookings` as a body, and the answer.
const BODIES: [(&str, &[u16]); 7] = [
    (r#"{"seats":0}"#, &[422]),
    (r#"{"seats":101}"#, &[422]),
    (r#"{"seats":1,"user_id":""}"#, &[422]),
    (r#"{"seats":"two"}"#, &[400]),
    (r#"{"seats":1,"chairs":1}"#, &[400]),
    (r#"{"seats":1"#, &[400]),
    ("", &[400]),
];

/// A path that finds nothing, and the answer.
const PATHS: [(Service, &str, &[u16]); 6] = [
    (Service::Events, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Events, "/events/one", &[400]),
    (Service::Events, "/events?limit=0", &[422]),
    (Service::Bookings, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Bookings, "/bookings/00000000-0000-7000-8000-000000000000", &[404]),
    (Service::Bookings, "/nowhere", &[404]),
];

/// One of them.
pub(crate) fn job(event: &str) -> Job {
    let index = fastrand::usize(..BODIES.len() + PATHS.len());
    if let Some((body, expected)) = BODIES.get(index) {
        let get = Request::get(format!("/events/{event}/bookings"));
        let request = Request { method: Method::POST, body: Some((*body).into()), ..get };
        return Job { request, expected, ..Job::get(Kind::Bad, Service::Bookings, String::new()) };
    }
    let (service, path, expected) = PATHS[index - BODIES.len()];
    Job { expected, ..Job::get(Kind::Bad, service, path.to_owned()) }
}
