//! How long after its 201 a booking is seen at the event service, at 100 bookings a second.

use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;
use tokio::{
    task::JoinSet,
    time::{MissedTickBehavior, interval_at},
};

use crate::{
    now,
    system::System,
    table::{Goal, Table},
};

/// Each books one event 25 times a second.
const CLIENTS: u32 = 4;
const EVERY: Duration = Duration::from_millis(40);
const BOOKINGS: usize = 125;
/// How long the view may take to show a booking.
const SHOWN_TIMEOUT: Duration = Duration::from_secs(5);

pub(crate) async fn measure(system: &System, table: &mut Table) -> anyhow::Result<()> {
    now("from a 201 to the view");
    let what = "201 to the event service's view, 100 bookings a second, p50";
    of(&system.events()?.url, &system.bookings()?.url, what, Some(Goal::Below(50.0)), table).await
}

/// Of services anywhere; `what` is the row of the median, `goal` is of the 99 %.
pub(crate) async fn of(
    events: &str,
    bookings: &str,
    what: &str,
    goal: Option<Goal>,
    table: &mut Table,
) -> anyhow::Result<()> {
    let page: Value = reqwest::get(format!("{events}/events?name=Bench&limit={CLIENTS}")).await?.json().await?;
    let mut clients = JoinSet::new();
    for (number, event) in (0..CLIENTS).zip(page["items"].as_array().context("events")?) {
        let id = event["id"].as_str().context("an id")?;
        let (book, see) = (format!("{bookings}/events/{id}/bookings"), format!("{events}/events/{id}"));
        // One behind the other, not all at once.
        clients.spawn(client(book, see, EVERY / CLIENTS * number));
    }
    let mut ms = Vec::new();
    while let Some(of_one) = clients.join_next().await {
        ms.extend(of_one??);
    }
    ms.sort_by(f64::total_cmp);
    let at = |percent: usize| ms[ms.len() * percent / 100];
    table.add(what, at(50), "ms", None);
    table.add("… p99", at(99), "ms", goal);
    Ok(())
}

async fn client(book: String, see: String, offset: Duration) -> anyhow::Result<Vec<f64>> {
    let http = reqwest::Client::builder().no_proxy().build()?;
    let mut tick = interval_at(tokio::time::Instant::now() + offset, EVERY);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut ms, mut seats) = (Vec::new(), seen(&http, book.trim_end_matches("/bookings")).await?);
    // What was booked before may still be on its way, and would be taken for what is booked now.
    let began = Instant::now();
    while seen(&http, &see).await? != seats {
        ensure!(began.elapsed() < SHOWN_TIMEOUT, "the view does not show what was booked before");
    }
    for _ in 0..BOOKINGS {
        tick.tick().await;
        let response =
            http.post(&book).header("content-type", "application/json").body(r#"{"seats":1}"#).send().await?;
        ensure!(response.status() == 201, "a booking was answered {}", response.status());
        let answered = Instant::now();
        seats += 1;
        while seen(&http, &see).await? < seats {
            if answered.elapsed() > SHOWN_TIMEOUT {
                bail!("the view does not show a booking within {SHOWN_TIMEOUT:?}");
            }
        }
        ms.push(answered.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(ms)
}

async fn seen(http: &reqwest::Client, see: &str) -> anyhow::Result<u64> {
    let event: Value = http.get(see).send().await?.json().await?;
    event["booked_seats"].as_u64().context("booked_seats")
}
