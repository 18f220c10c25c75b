//! The dead letters of a running system, by `/dead` of both ops ports.

use std::time::Duration;

use hyper::{Method, StatusCode};
use messaging::DeadLetter;
use serde::de::DeserializeOwned;
use uuid::Uuid;

use crate::{
    client::{RestClient, RestError},
    connection::{Failure, Request},
    shapes::{Page, Redriven},
    urls::{OpsUrls, Target},
};

/// Thousands of letters take a while. The service gives up before this, so that its answer always arrives.
const REDRIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// What each service answered, under its name.
pub type OfEach<T> = [(&'static str, Result<T, RestError>); 2];

/// The dead letters that each service keeps. Each request may take as long as `timeout`.
pub async fn list(ops: &OpsUrls, timeout: Duration) -> OfEach<Vec<DeadLetter>> {
    let request = Request::get("/dead".into());
    of_each(ops, async |targets| {
        let list: Option<Page<DeadLetter>> = ask(targets, &request, timeout).await?;
        list.map(|list| list.items).ok_or_else(|| RestError::Nothing { url: format!("{}/dead", targets[0].url) })
    })
    .await
}

/// Sends one, or all, to their queue again, and says how many each service sent. With an id, one service has it at most, and the other one
/// says 0.
pub async fn redrive(ops: &OpsUrls, id: Option<Uuid>) -> OfEach<u64> {
    let which = id.map_or_else(String::new, |id| format!("?id={id}"));
    let request = Request { method: Method::POST, ..Request::get(format!("/dead/redrive{which}")) };
    of_each(ops, async |targets| {
        let answer: Option<Redriven> = ask(targets, &request, REDRIVE_TIMEOUT).await?;
        Ok(answer.map_or(0, |answer| answer.redriven))
    })
    .await
}

async fn of_each<T>(ops: &OpsUrls, ask: impl AsyncFn(&[Target]) -> Result<T, RestError>) -> OfEach<T> {
    let (events, bookings) = tokio::join!(ask(&ops.events), ask(&ops.bookings));
    [("eventservice", events), ("bookingservice", bookings)]
}

/// The answer of the first replica that can be reached: all of them look into the same place.
async fn ask<T: DeserializeOwned>(
    targets: &[Target],
    request: &Request,
    timeout: Duration,
) -> Result<Option<T>, RestError> {
    let mut port = RestClient::new(targets.to_vec(), timeout);
    let mut answer = port.send(request, StatusCode::OK).await;
    for _ in 1..targets.len() {
        // One that was sent is not sent again: nobody knows what became of it.
        if !matches!(answer, Err(RestError::Silent { cause: Failure::Away(_), .. })) {
            break;
        }
        answer = port.send(request, StatusCode::OK).await;
    }
    answer
}
