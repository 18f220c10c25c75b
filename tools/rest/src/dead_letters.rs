//! The dead letters of a running system, by `/dead` of both ops ports.

use std::time::Duration;

use hyper::{Method, StatusCode};
use messaging::DeadLetter;
use uuid::Uuid;

use crate::{
    client::{RestClient, RestError},
    connection::Request,
    shapes::{Page, Redriven},
    urls::{OpsUrls, Target},
};

/// Thousands of letters take a while. The service gives up before this, so that its answer always arrives.
const REDRIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// What each service answered, under its name.
pub type OfEach<T> = [(&'static str, Result<T, RestError>); 2];

/// One replica of each service: all of them look into the same place.
fn services(ops: &OpsUrls, timeout: Duration) -> [(&'static str, RestClient); 2] {
    let client = |targets: &[Target]| RestClient::new(targets[..1].to_vec(), timeout);
    [("eventservice", client(&ops.events)), ("bookingservice", client(&ops.bookings))]
}

/// The dead letters that each service keeps. Each request may take as long as `timeout`.
pub async fn list(ops: &OpsUrls, timeout: Duration) -> OfEach<Vec<DeadLetter>> {
    let [events, bookings] = services(ops, timeout);
    let list = async |(name, mut port): (&'static str, RestClient)| {
        let list: Result<Option<Page<DeadLetter>>, _> = port.get("/dead").await;
        let nothing = || RestError::Nothing { url: format!("{}/dead", port.url()) };
        (name, list.and_then(|list| list.map(|list| list.items).ok_or_else(nothing)))
    };
    [list(events).await, list(bookings).await]
}

/// Sends one, or all, to their queue again, and says how many each service sent. With an id, one service has it at most, and the other one
/// says 0.
pub async fn redrive(ops: &OpsUrls, id: Option<Uuid>) -> OfEach<u64> {
    let which = id.map_or_else(String::new, |id| format!("?id={id}"));
    let redrive = async |(name, mut port): (&'static str, RestClient)| {
        let post = Request { method: Method::POST, ..Request::get(format!("/dead/redrive{which}")) };
        let answer = port.send::<Redriven>(&post, StatusCode::OK).await;
        (name, answer.map(|answer| answer.map_or(0, |answer| answer.redriven)))
    };
    let [events, bookings] = services(ops, REDRIVE_TIMEOUT);
    [redrive(events).await, redrive(bookings).await]
}
