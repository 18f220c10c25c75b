//! Reads at the event service, and pages of bookings.

use std::time::Duration;

use anyhow::Context;
use serde_json::Value;

use crate::{
    now,
    one_request::{self, Measured},
    system::System,
    table::Table,
};

const TURN: Duration = Duration::from_millis(1500);
const PAGE_TURN: Duration = Duration::from_millis(700);

/// It needs the events of a load.
pub(crate) async fn measure(system: &System, table: &mut Table) -> anyhow::Result<()> {
    now("reads");
    let events = system.events()?;
    let id = an_event(system).await?;
    for (what, path) in
        [("GET /events/{id}", format!("/events/{id}")), ("GET /events (a page of 20)", "/events".into())]
    {
        let read = one_request::send(&events, &path, None, 64, TURN).await?;
        table.add(format!("{what}, 64 connections"), read.per_second, "/s", None);
        table.add("… p99", read.p99_ms, "ms", None);
    }
    Ok(())
}

/// The first event of the loads.
pub(crate) async fn an_event(system: &System) -> anyhow::Result<String> {
    let url = format!("{}/events?name=Bench%200001", system.events()?.url);
    let page: Value = reqwest::get(url).await?.json().await?;
    Ok(page["items"][0]["id"].as_str().context("there is an event")?.to_owned())
}

/// A page of 20 bookings of that event, some pages in, or the last full one.
pub(crate) async fn page_of_bookings(system: &System) -> anyhow::Result<Measured> {
    let (bookings, id) = (system.bookings()?, an_event(system).await?);
    let mut path = format!("/events/{id}/bookings");
    for _ in 0..20 {
        let page: Value = reqwest::get(format!("{}{path}", bookings.url)).await?.json().await?;
        let Some(next) = page["next"].as_str() else { break };
        path = format!("/events/{id}/bookings?after={next}");
    }
    one_request::send(&bookings, &path, None, 16, PAGE_TURN).await
}
