//! How `myevents` speaks to its own services: by their REST, like everybody else.
//!
//! So the samples pass the same checks as any event, and the booking command on the start page is known to work.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use rest::{
    RestClient, RestError, Target,
    shapes::{Event, OnSale},
};
use serde_json::Value;
use service::healthcheck::url;
use tokio::time::{Instant, sleep};
use uuid::Uuid;

/// For one request. It goes to this very process, so only a disk can make it slow.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long an event that the booking service does not know yet is waited for, at a start on an old folder.
const ON_SALE_TIMEOUT: Duration = Duration::from_secs(3);

/// How many pages are searched for an event that can be booked, so that a large database starts as quickly.
const PAGES: usize = 3;

/// The REST of both.
pub(crate) struct OwnServices {
    events: RestClient,
    bookings: RestClient,
}

/// What the start page's command books.
pub(crate) struct Bookable {
    /// The event.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// Two, or the last one.
    pub(crate) seats: u64,
}

impl OwnServices {
    /// Takes the addresses the services listen on.
    pub(crate) fn new(events: SocketAddr, bookings: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { events: client(events)?, bookings: client(bookings)? })
    }

    /// `POST /events`.
    pub(crate) async fn create(&mut self, event: &Value) -> Result<Event, RestError> {
        self.events.create("/events", event.to_string()).await
    }

    /// `GET /events?…`, in pages; at most [`PAGES`] of them.
    pub(crate) async fn events(&mut self, filter: &str) -> Result<Vec<Event>, RestError> {
        let mut events = Vec::new();
        self.events.pages("/events", filter, PAGES, |event| events.push(event)).await?;
        Ok(events)
    }

    /// Asks the booking service for an event until it knows it, which takes a moment after the event was created.
    pub(crate) async fn on_sale(&mut self, id: &Uuid, deadline: Instant) -> Result<Option<OnSale>, RestError> {
        loop {
            let found = self.bookings.get(&format!("/events/{id}")).await?;
            if found.is_some() || Instant::now() >= deadline {
                return Ok(found);
            }
            sleep(Duration::from_millis(10)).await;
        }
    }

    /// Finds an event that can be booked: the next one to begin, else one that has begun and is not over.
    pub(crate) async fn bookable(&mut self) -> Result<Option<Bookable>, RestError> {
        let (now, deadline) = (contracts::Instant::now(), Instant::now() + ON_SALE_TIMEOUT);
        for filter in [format!("&from={now}"), format!("&to={now}")] {
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

/// The address is a number, so no thread is started to look up a name.
fn client(address: SocketAddr) -> anyhow::Result<RestClient> {
    let target = Target::parse(&url(address)).context("a service listens on no port")?;
    Ok(RestClient::new(vec![target], TIMEOUT))
}
