//! The dead letters of a running system, by `/dead` of both ops ports.

use std::time::Duration;

use anyhow::Context;
use messaging::DeadLetter;
use reqwest::{Client, Method};
use serde::Deserialize;
use uuid::Uuid;

use super::{Letter, Redrive};
use crate::{
    shapes::DeadList,
    urls::{OpsUrls, ask, client},
};

/// For the list: somebody sits and waits for it.
const PATIENCE: Duration = Duration::from_secs(5);

/// Thousands of letters take a while, and half an answer would have them sent once more. The service gives up before this.
const REDRIVING: Duration = Duration::from_secs(60);

#[derive(Deserialize)]
struct Redriven {
    redriven: u64,
}

/// One replica of each service: all of them look into the same place.
fn services(ops: &OpsUrls) -> [(&'static str, &str); 2] {
    [("eventservice", &ops.events[0]), ("bookingservice", &ops.bookings[0])]
}

pub(super) async fn list(ops: &OpsUrls) -> anyhow::Result<Vec<Letter>> {
    let (client, mut letters) = (client(PATIENCE)?, Vec::new());
    for (keeper, url) in services(ops) {
        letters.extend(of(&client, url).await?.into_iter().map(|letter| Letter::of(keeper, letter)));
    }
    Ok(letters)
}

async fn of(client: &Client, url: &str) -> anyhow::Result<Vec<DeadLetter>> {
    let list: Option<DeadList> = ask(client, Method::GET, &format!("{url}/dead")).await?;
    Ok(list.with_context(|| format!("{url} is not an ops port of MyEvents"))?.items)
}

/// With an id, one service has it at most, and the other answers 404.
pub(super) async fn redrive(ops: &OpsUrls, id: Option<Uuid>) -> anyhow::Result<Redrive> {
    let (client, mut redrive) = (client(REDRIVING)?, Redrive::default());
    let which = id.map_or_else(String::new, |id| format!("?id={id}"));
    for (_, url) in services(ops) {
        let answer: anyhow::Result<Option<Redriven>> =
            ask(&client, Method::POST, &format!("{url}/dead/redrive{which}")).await;
        match answer {
            Ok(answer) => redrive.count += answer.map_or(0, |answer| answer.redriven),
            Err(cause) => redrive.failed.push(format!("{cause:#}")),
        }
    }
    Ok(redrive)
}
