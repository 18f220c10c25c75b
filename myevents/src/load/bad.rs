//! Requests that must be refused, each with the status that is right.

use hyper::Method;

use super::{
    job::{Job, To},
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
const PATHS: [(To, &str, &[u16]); 6] = [
    (To::Events, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (To::Events, "/events/one", &[400]),
    (To::Events, "/events?limit=0", &[422]),
    (To::Bookings, "/events/00000000-0000-7000-8000-000000000000", &[404]),
    (To::Bookings, "/bookings/00000000-0000-7000-8000-000000000000", &[404]),
    (To::Bookings, "/nowhere", &[404]),
];

/// One of them.
pub(super) fn job(event: &str) -> Job {
    let place = fastrand::usize(..BODIES.len() + PATHS.len());
    if let Some((body, expected)) = BODIES.get(place) {
        let get = Job::get(Kind::Bad, To::Bookings, format!("/events/{event}/bookings"));
        return Job { method: Method::POST, body: Some((*body).into()), expected, ..get };
    }
    let (to, path, expected) = PATHS[place - BODIES.len()];
    Job { expected, ..Job::get(Kind::Bad, to, path.to_owned()) }
}
