//! The dead letters of a running system, by `/dead` of both ops ports.

use std::time::Duration;

use anyhow::Context;
use hyper::{Method, StatusCode};
use messaging::DeadLetter;
use rest::{
    Request, RestClient, Target,
    shapes::{Page, Redriven},
    urls::OpsUrls,
};
use uuid::Uuid;

use super::{Letter, Redrive};

/// Thousands of letters take a while. The service gives up before this, so that its answer always arrives.
const REDRIVE_TIMEOUT: Duration = Duration::from_secs(60);

/// One replica of each service: all of them look into the same place.
fn services(ops: &OpsUrls, timeout: Duration) -> [(&'static str, RestClient); 2] {
    let client = |targets: &[Target]| RestClient::new(targets[..1].to_vec(), timeout);
    [("eventservice", client(&ops.events)), ("bookingservice", client(&ops.bookings))]
}

/// Each request may take as long as `timeout`.
pub(crate) async fn list(ops: &OpsUrls, timeout: Duration) -> anyhow::Result<Vec<Letter>> {
    let mut letters = Vec::new();
    for (keeper, mut port) in services(ops, timeout) {
        let list: Option<Page<DeadLetter>> = port.get("/dead").await?;
        let list = list.with_context(|| format!("{} is not an ops port of MyEvents", port.url()))?;
        letters.extend(list.items.into_iter().map(|letter| Letter::of(keeper, letter)));
    }
    Ok(letters)
}

/// With an id, one service has it at most, and the other answers 404.
pub(super) async fn redrive(ops: &OpsUrls, id: Option<Uuid>) -> anyhow::Result<Redrive> {
    let mut redrive = Redrive::default();
    let which = id.map_or_else(String::new, |id| format!("?id={id}"));
    for (_, mut port) in services(ops, REDRIVE_TIMEOUT) {
        let post = Request { method: Method::POST, ..Request::get(format!("/dead/redrive{which}")) };
        match port.send::<Redriven>(&post, StatusCode::OK).await {
            Ok(answer) => redrive.count += answer.map_or(0, |answer| answer.redriven),
            Err(cause) => redrive.failed.push(format!("{:#}", anyhow::Error::new(cause))),
        }
    }
    Ok(redrive)
}
