//! The events of a load: those of an earlier run are taken again, so that a run adds no label values to the metrics.

use std::{collections::HashMap, time::Duration};

use anyhow::anyhow;
use jiff::{SignedDuration, Timestamp};
use rest::{Failure, RestClient, RestError, Target, shapes};
use serde_json::json;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

use crate::{
    inventory::{Event, Inventory},
    options::Plan,
};

/// How long the booking service may take to know a new event. It takes some milliseconds.
const ON_SALE_TIMEOUT: Duration = Duration::from_secs(15);

/// The events end in ten years. One that ends within a day is not taken again.
const DAYS: i64 = 3650;

/// For one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How soon a system that does not answer yet is asked again.
const RETRY_INTERVAL: Duration = Duration::from_millis(500);

/// Finds or creates the events, and waits until all of them can be booked. A system that does not answer is asked again within the
/// plan's `patience`. What an earlier try has created is found by the next.
pub(crate) async fn events(plan: &Plan) -> anyhow::Result<Inventory> {
    let deadline = Instant::now() + plan.patience;
    loop {
        match try_events(plan).await {
            Err(cause) if Instant::now() < deadline => tracing::debug!("the system is waited for: {cause:#}"),
            end => return end,
        }
        sleep(RETRY_INTERVAL).await;
    }
}

async fn try_events(plan: &Plan) -> anyhow::Result<Inventory> {
    let mut service = RequiredService::new("event service", "EVENTS_URL", &plan.events);
    let mut there = service.earlier_events(plan).await?;
    let mut ids = Vec::new();
    for number in 1..=plan.event_count {
        let name = format!("{} {number:04}", plan.names);
        let id = match there.remove(&name) {
            Some(id) => id,
            None => service.create(&name, plan.capacity).await?,
        };
        ids.push((name, id));
    }
    let mut service = RequiredService::new("booking service", "BOOKINGS_URL", &plan.bookings);
    let (mut events, deadline) = (Vec::new(), Instant::now() + ON_SALE_TIMEOUT);
    for (name, id) in ids {
        let sold = service.seats_sold(id, deadline).await?;
        events.push(Event::new(id, name, plan.capacity, sold));
    }
    Ok(Inventory::new(events))
}

/// A service that must be there.
struct RequiredService {
    name: &'static str,
    option: &'static str,
    /// The URL of the first replica, for messages.
    url: String,
    client: RestClient,
}

impl RequiredService {
    fn new(name: &'static str, option: &'static str, replicas: &[Target]) -> Self {
        let (url, client) = (replicas[0].url.clone(), RestClient::new(replicas.to_vec(), TIMEOUT));
        Self { name, option, url, client }
    }

    /// The events of earlier runs, by name: those with the right capacity that are not over.
    async fn earlier_events(&mut self, plan: &Plan) -> anyhow::Result<HashMap<String, Uuid>> {
        let tomorrow = Timestamp::now() + SignedDuration::from_hours(24);
        let (mut there, names) = (HashMap::new(), plan.names.replace(' ', "%20"));
        let take = |event: shapes::Event| {
            if event.capacity == plan.capacity && event.end_date.as_millis() > tomorrow.as_millisecond() {
                there.entry(event.name).or_insert(event.id);
            }
        };
        let read = self.client.pages("/events", &format!("&name={names}%20"), usize::MAX, take).await;
        read.map_err(|cause| self.explained(cause))?;
        Ok(there)
    }

    async fn create(&mut self, name: &str, capacity: Option<u64>) -> anyhow::Result<Uuid> {
        let start = Timestamp::now() + SignedDuration::from_hours(24 * DAYS);
        let end = start + SignedDuration::from_hours(3);
        let mut body = json!({ "name": name, "start_date": format!("{start:.3}"), "end_date": format!("{end:.3}") });
        if let Some(capacity) = capacity {
            body["capacity"] = capacity.into();
        }
        let made = self.client.create::<shapes::Event>("/events", body.to_string()).await;
        Ok(made.map_err(|cause| self.explained(cause))?.id)
    }

    /// Seats that are sold, once the booking service knows the event.
    async fn seats_sold(&mut self, id: Uuid, deadline: Instant) -> anyhow::Result<u64> {
        let found = self.client.on_sale(id, deadline).await.map_err(|cause| self.explained(cause))?;
        let missing =
            || anyhow!("the booking service at {} has not heard of event {id} within {ON_SALE_TIMEOUT:?}", self.url);
        Ok(found.ok_or_else(missing)?.booked_seats)
    }

    /// The error, with what the user can do about it.
    fn explained(&self, error: RestError) -> anyhow::Error {
        let (name, url, option, flag) = (self.name, &self.url, self.option, process::checks::flag(self.option));
        match error {
            RestError::Silent { cause: Failure::Away(cause), .. } => anyhow!(
                "the {name} at {url} cannot be reached ({cause}): start it with `myevents`, or say with {flag} or {option} where it is"
            ),
            RestError::Silent { cause: Failure::Unanswered, .. } => anyhow!("the {name} at {url} does not answer"),
            other @ (RestError::Refused { .. } | RestError::NotUnderstood { .. } | RestError::Nothing { .. }) => {
                anyhow::Error::new(other).context(format!("is {url} the {name}?"))
            }
        }
    }
}
