//! How `myevents` speaks to its own services: by their REST, like everybody else.
//!
//! So the samples pass the same checks as any event, and the booking command on the start page is known to work.

use std::{net::SocketAddr, time::Duration};

use anyhow::{Context, bail};
use jiff::Timestamp;
use reqwest::{Client, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::Value;
use service::healthcheck::url;
use tokio::time::{Instant, sleep};

/// For one request. It goes to this very process, so only a disk can make it slow.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long an event that the booking service has not heard of is waited for, at a start on an old folder.
const ON_SALE_TIMEOUT: Duration = Duration::from_secs(3);

/// How many pages are searched for an event that can be booked, so that a large database starts as quickly.
const PAGES: usize = 3;

/// Both services' REST.
pub(crate) struct OwnRest {
    client: Client,
    events: String,
    bookings: String,
}

/// An event as the event service tells it: the part that matters here.
#[derive(Deserialize)]
pub(crate) struct Event {
    pub(crate) id: String,
    pub(crate) name: String,
    end_date: Timestamp,
    /// Absent where there is no capacity.
    seats_left: Option<u64>,
}

/// A page of them.
#[derive(Deserialize)]
struct Page {
    items: Vec<Event>,
    next: Option<String>,
}

/// An event as the booking service sells it: the part that matters here.
#[derive(Deserialize)]
pub(crate) struct OnSale {
    id: String,
    name: String,
    seats_left: Option<u64>,
}

/// What the start page's command books.
pub(crate) struct Bookable {
    /// The event.
    pub(crate) id: String,
    /// Its name.
    pub(crate) name: String,
    /// Two, or the last one.
    pub(crate) seats: u64,
}

impl OwnRest {
    /// Takes the addresses the services listen on.
    pub(crate) fn new(events: SocketAddr, bookings: SocketAddr) -> anyhow::Result<Self> {
        // The addresses are numbers, so no thread is started to look up names. A proxy is for other hosts.
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        Ok(Self { client, events: url(events), bookings: url(bookings) })
    }

    /// `POST /events`.
    pub(crate) async fn create(&self, event: &Value) -> anyhow::Result<Event> {
        let response = self.client.post(format!("{}/events", self.events)).json(event).send().await?;
        read(response, StatusCode::CREATED).await
    }

    /// `GET /events?…`, in pages; at most [`PAGES`] of them.
    pub(crate) async fn events(&self, filter: &str) -> anyhow::Result<Vec<Event>> {
        let (mut events, mut after) = (Vec::new(), String::new());
        for _ in 0..PAGES {
            let response = self.client.get(format!("{}/events?limit=100{filter}{after}", self.events)).send().await?;
            let page: Page = read(response, StatusCode::OK).await?;
            events.extend(page.items);
            let Some(next) = page.next else { break };
            after = format!("&after={next}");
        }
        Ok(events)
    }

    /// Asks the booking service for an event until it knows it, which takes a moment after the event was created.
    pub(crate) async fn on_sale(&self, id: &str, deadline: Instant) -> anyhow::Result<Option<OnSale>> {
        loop {
            let response = self.client.get(format!("{}/events/{id}", self.bookings)).send().await?;
            if response.status() != StatusCode::NOT_FOUND {
                return read(response, StatusCode::OK).await.map(Some);
            }
            if Instant::now() >= deadline {
                return Ok(None);
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Finds an event that can be booked: the next one to begin, else one that has begun and is not over.
    pub(crate) async fn bookable(&self) -> anyhow::Result<Option<Bookable>> {
        let (now, deadline) = (Timestamp::now(), Instant::now() + ON_SALE_TIMEOUT);
        for filter in [format!("&from={now:.3}"), format!("&to={now:.3}")] {
            for event in self.events(&filter).await? {
                if event.end_date <= now || event.seats_left == Some(0) {
                    continue;
                }
                // The event service's view may lag; the booking service knows.
                if let Some(sold) = self.on_sale(&event.id, deadline).await?
                    && sold.seats_left != Some(0)
                {
                    let seats = sold.seats_left.map_or(2, |left| left.min(2));
                    return Ok(Some(Bookable { id: sold.id, name: sold.name, seats }));
                }
            }
        }
        Ok(None)
    }
}

/// The body, if the status is the one hoped for; else an error with what the service said.
async fn read<T: DeserializeOwned>(response: reqwest::Response, hoped: StatusCode) -> anyhow::Result<T> {
    let (status, url) = (response.status(), response.url().clone());
    let text = response.text().await?;
    if status != hoped {
        bail!("{url} answered {status}: {text}");
    }
    serde_json::from_str(&text).with_context(|| format!("{url} answered what is not understood"))
}
