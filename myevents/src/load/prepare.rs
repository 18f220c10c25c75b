//! The events of a load: those of an earlier run are taken again, so that a run adds no label values to the metrics.

use std::{collections::HashMap, time::Duration};

use anyhow::{Context, bail};
use hyper::Method;
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use tokio::time::{Instant, sleep};

use super::{
    connection::{Answer, Connection, Failure},
    job::{Job, To},
    mix::Kind,
    options::Plan,
    stock::{Event, Stock},
    target::Target,
};
use crate::shapes::{OnSale, Page};

/// How long the booking service may take to hear of a new event. It takes some milliseconds.
const ARRIVAL: Duration = Duration::from_secs(15);

/// The events end in ten years. One that ends within a day is not taken again.
const DAYS: i64 = 3650;

#[derive(Deserialize)]
struct Found {
    id: String,
    name: String,
    end_date: Timestamp,
    capacity: Option<u64>,
}

/// How soon a system that does not answer yet is asked again.
const AGAIN: Duration = Duration::from_millis(500);

/// Finds or creates the events, and waits until all of them can be booked. A system that does not answer is asked again within the
/// plan's patience: what an earlier try has created is found by the next.
pub(super) async fn events(plan: &Plan) -> anyhow::Result<Stock> {
    let deadline = Instant::now() + plan.patience;
    loop {
        match try_events(plan).await {
            Err(cause) if Instant::now() < deadline => tracing::debug!("the system is waited for: {cause:#}"),
            end => return end,
        }
        sleep(AGAIN).await;
    }
}

async fn try_events(plan: &Plan) -> anyhow::Result<Stock> {
    let mut service = Service::new("event service", "EVENTS_URL", &plan.events);
    let mut there = found(&mut service, plan).await?;
    let mut ids = Vec::new();
    for number in 1..=plan.event_count {
        let name = format!("{} {number:04}", plan.names);
        let id = match there.remove(&name) {
            Some(id) => id,
            None => create(&mut service, &name, plan.capacity).await?,
        };
        ids.push((name, id));
    }
    let mut service = Service::new("booking service", "BOOKINGS_URL", &plan.bookings);
    let (mut events, deadline) = (Vec::new(), Instant::now() + ARRIVAL);
    for (name, id) in ids {
        let sold = on_sale(&mut service, &id, deadline).await?;
        events.push(Event::new(&id, &name, plan.capacity, sold));
    }
    Ok(Stock::new(events))
}

/// The events of earlier runs, by name: those with the right capacity that are not over.
async fn found(service: &mut Service, plan: &Plan) -> anyhow::Result<HashMap<String, String>> {
    let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
    let (mut there, mut after) = (HashMap::new(), String::new());
    loop {
        let name = plan.names.replace(' ', "%20");
        let get = Job::get(Kind::ListEvents, To::Events, format!("/events?name={name}%20&limit=100{after}"));
        let page: Page<Found> = service.ask(&get).await?;
        for event in page.items {
            if event.capacity == plan.capacity && event.end_date > tomorrow {
                there.entry(event.name).or_insert(event.id);
            }
        }
        let Some(next) = page.next else { return Ok(there) };
        after = format!("&after={next}");
    }
}

async fn create(service: &mut Service, name: &str, capacity: Option<u64>) -> anyhow::Result<String> {
    let start = Timestamp::now() + SignedDuration::from_hours(24 * DAYS);
    let end = start + SignedDuration::from_hours(3);
    let mut body = json!({ "name": name, "start_date": format!("{start:.3}"), "end_date": format!("{end:.3}") });
    if let Some(capacity) = capacity {
        body["capacity"] = capacity.into();
    }
    let get = Job::get(Kind::ListEvents, To::Events, "/events".into());
    let post = Job { method: Method::POST, body: Some(body.to_string().into()), expected: &[201], ..get };
    Ok(service.ask::<Found>(&post).await?.id)
}

/// Seats that are sold, once the booking service knows the event.
async fn on_sale(service: &mut Service, id: &str, deadline: Instant) -> anyhow::Result<u64> {
    let get = Job::get(Kind::ReadSeats, To::Bookings, format!("/events/{id}"));
    loop {
        let answer = service.exchange(&get).await?;
        if answer.status != 404 {
            return Ok(service.read::<OnSale>(&get, &answer)?.booked_seats);
        }
        if Instant::now() >= deadline {
            bail!("the booking service at {} has not heard of event {id} within {ARRIVAL:?}", service.target.url);
        }
        sleep(Duration::from_millis(10)).await;
    }
}

/// A service that must be there.
struct Service {
    name: &'static str,
    option: &'static str,
    target: Target,
    connection: Connection,
}

impl Service {
    fn new(name: &'static str, option: &'static str, replicas: &[Target]) -> Self {
        Self { name, option, target: replicas[0].clone(), connection: Connection::new(replicas.to_vec(), 0) }
    }

    async fn exchange(&mut self, job: &Job) -> anyhow::Result<Answer> {
        let Self { name, option, target, connection } = self;
        let (url, flag) = (&target.url, process::checks::flag(option));
        connection.exchange(job).await.map_err(|failure| match failure {
            Failure::Away(cause) => anyhow::anyhow!(
                "the {name} at {url} cannot be reached ({cause}): start it with `myevents`, or say with {flag} or {option} where it is"
            ),
            Failure::Unanswered => anyhow::anyhow!("the {name} at {url} does not answer"),
        })
    }

    async fn ask<T: DeserializeOwned>(&mut self, job: &Job) -> anyhow::Result<T> {
        let answer = self.exchange(job).await?;
        self.read(job, &answer)
    }

    fn read<T: DeserializeOwned>(&self, job: &Job, answer: &Answer) -> anyhow::Result<T> {
        let (status, said) = (answer.status, String::from_utf8_lossy(&answer.body));
        let (name, url) = (self.name, &self.target.url);
        if !job.expected.contains(&status.as_u16()) {
            bail!("is {url} the {name}? {} {} was answered {status}: {said}", job.method, job.path);
        }
        serde_json::from_slice(&answer.body).with_context(|| format!("is {url} the {name}? It answered {said}"))
    }
}
