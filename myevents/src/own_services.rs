//! The client of the services in this process, by their REST, as any other client.
//!
//! So the samples pass the same checks as any event, and the booking command on the start page works.

use std::{net::SocketAddr, time::Duration};

use anyhow::Context;
use rest::{
    RestClient, RestError, Target,
    shapes::Event,
    urls::{OpsUrls, Urls},
};
use service::healthcheck::url;
use tokio::time::Instant;
use uuid::Uuid;

/// How long one request may take. It stays in this process, so only a slow disk delays it.
const TIMEOUT: Duration = Duration::from_secs(10);

/// How long to wait for an event that the booking service does not know yet, at a start on an old folder.
const SAMPLE_ON_SALE_TIMEOUT: Duration = Duration::from_secs(3);

/// The most pages that are searched for an event that can be booked. So a start does not take longer with a large database.
const PAGES: usize = 3;

/// The REST of both services.
pub(crate) struct OwnServices {
    pub(crate) events: RestClient,
    pub(crate) bookings: RestClient,
}

/// The event that the command on the start page books.
pub(crate) struct Bookable {
    /// Its id.
    pub(crate) id: Uuid,
    /// Its name.
    pub(crate) name: String,
    /// How many seats: two, or the last one.
    pub(crate) seats: u64,
}

impl OwnServices {
    /// `events` and `bookings` are the addresses on which the services listen.
    pub(crate) fn new(events: SocketAddr, bookings: SocketAddr) -> anyhow::Result<Self> {
        Ok(Self { events: client(events)?, bookings: client(bookings)? })
    }

    /// `GET /events?…`, in pages; at most [`PAGES`] of them.
    pub(crate) async fn list(&mut self, filter: &str) -> Result<Vec<Event>, RestError> {
        let mut events = Vec::new();
        self.events.pages("/events", filter, PAGES, |event| events.push(event)).await?;
        Ok(events)
    }

    /// Finds an event that can be booked: the next one to begin, else one that has begun and is not over.
    pub(crate) async fn bookable(&mut self) -> Result<Option<Bookable>, RestError> {
        let (now, deadline) = (contracts::Instant::now(), Instant::now() + SAMPLE_ON_SALE_TIMEOUT);
        for filter in [format!("&from={now}"), format!("&to={now}")] {
            for event in self.list(&filter).await? {
                if event.end_date <= now || event.seats_left == Some(0) {
                    continue;
                }
                // The view of the event service can be out of date, so the booking service is asked.
                if let Some(sold) = self.bookings.on_sale(event.id, deadline).await?
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

fn client(address: SocketAddr) -> anyhow::Result<RestClient> {
    Ok(RestClient::new(vec![target(address)?], TIMEOUT))
}

/// Where the services of this process are, for the page.
pub(crate) fn urls(events: (SocketAddr, SocketAddr), bookings: (SocketAddr, SocketAddr)) -> anyhow::Result<Urls> {
    let one = |address| Ok::<_, anyhow::Error>(vec![target(address)?]);
    let ops = OpsUrls { events: one(events.1)?, bookings: one(bookings.1)? };
    Ok(Urls { events: one(events.0)?, bookings: one(bookings.0)?, ops })
}

/// The address is a number, so no thread is started to look up a name.
fn target(address: SocketAddr) -> anyhow::Result<Target> {
    Target::parse(&url(address)).context("a service listens on no port")
}
