//! Reads a running system by what everybody can ask: REST, and the ops ports for what REST does not show.
//!
//! Everything is asked for in pages of 100. Afterwards it is looked at again: if something changed meanwhile, what was
//! read is of no one state, and it is read once more.

use std::collections::BTreeSet;

use anyhow::Context;
use contracts::Instant as At;
use reqwest::{Client, Method};
use serde::{Deserialize, de::DeserializeOwned};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::{
    Unchecked,
    facts::{Booking, Facts, Shown, Sold},
    quiet::{self, Look},
    watch::Watch,
};
use crate::{
    shapes::{DeadList, OnSale, Page},
    urls::{Urls, ask, client},
};

/// A request may take as long as the patience lasts, but at least and at most so long.
const ONE_REQUEST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Reads until a reading was not disturbed. `watch` sees each booking of it once.
pub(super) async fn read(urls: &Urls, patience: Duration, watch: &mut Watch) -> Result<Facts, Unchecked> {
    let client = client(patience.clamp(ONE_REQUEST.0, ONE_REQUEST.1))?;
    let urls = &Urls { ops: urls.ops.of_every_replica(), ..urls.clone() };
    let mut deadline = Instant::now() + patience;
    loop {
        let look = quiet::wait(&client, &urls.ops, deadline).await?;
        let began = Instant::now();
        watch.begin();
        let facts = one_reading(&client, urls, &look, watch).await?;
        if Look::at(&client, &urls.ops).await?.state() == look.state() {
            return Ok(facts);
        }
        if Instant::now() >= deadline + began.elapsed() {
            return Err(Unchecked::Noisy("something changed while it was read".into()));
        }
        deadline += began.elapsed(); // the patience is for the system, not for our own reading
    }
}

async fn one_reading(client: &Client, urls: &Urls, look: &Look, watch: &mut Watch) -> anyhow::Result<Facts> {
    let (totals, gives_back) = (Some(look.totals()), look.gives_back());
    let mut facts = Facts { totals, gives_back, ..Facts::default() };
    pages(client, &format!("{}/events", rest(client, &urls.events).await), |event: EventJson| {
        facts.shown.push(event.shown())
    })
    .await?;

    // The booking service has no list of events; its metrics name those on sale, up to a thousand.
    let mut ids: BTreeSet<Uuid> = facts.shown.iter().map(|shown| shown.id).collect();
    ids.extend(look.bookings.labels("myevents_bookings_count", "eventID").filter_map(|id| id.parse::<Uuid>().ok()));
    let bookings = rest(client, &urls.bookings).await;
    for id in ids {
        let url = format!("{bookings}/events/{id}");
        let Some(event): Option<OnSale> = ask(client, Method::GET, &url).await? else { continue };
        facts.sold.push(sold(event));
        let mut count = |booking: BookingJson| {
            let booking = booking.borrowed();
            facts.tally.add(&booking);
            watch.see(&booking);
        };
        pages(client, &format!("{url}/bookings"), &mut count).await?;
    }
    // All replicas of a service have the same ones.
    for (service, ops) in [("eventservice", &urls.ops.events[0]), ("bookingservice", &urls.ops.bookings[0])] {
        let list: Option<DeadList> = ask(client, Method::GET, &format!("{ops}/dead")).await?;
        let list = list.with_context(|| format!("{ops} is not an ops port of MyEvents"))?;
        facts.dead.extend(list.items.into_iter().map(|letter| (service, letter)));
    }
    Ok(facts)
}

/// The first replica that answers; where none does the first, so that it is named in the error.
async fn rest<'u>(client: &Client, replicas: &'u [String]) -> &'u str {
    for url in replicas {
        if client.get(format!("{url}/events/none")).send().await.is_ok() {
            return url;
        }
    }
    &replicas[0]
}

/// Every item of a list, page by page.
async fn pages<T: DeserializeOwned>(client: &Client, url: &str, mut take: impl FnMut(T)) -> anyhow::Result<()> {
    let mut after = String::new();
    loop {
        let page: Option<Page<T>> = ask(client, Method::GET, &format!("{url}?limit=100{after}")).await?;
        let page = page.with_context(|| format!("there is nothing at {url}"))?;
        page.items.into_iter().for_each(&mut take);
        let Some(next) = page.next else { return Ok(()) };
        after = format!("&after={next}");
    }
}

#[derive(Deserialize)]
struct EventJson {
    id: Uuid,
    name: String,
    end_date: At,
    capacity: Option<u64>,
    booked_seats: u64,
    seats_left: Option<u64>,
}

#[derive(Deserialize)]
struct BookingJson {
    id: Uuid,
    event_id: Uuid,
    user_id: String,
    seats: u64,
    status: Status,
}

#[derive(Deserialize, PartialEq)]
#[serde(rename_all = "lowercase")]
enum Status {
    Confirmed,
    Cancelled,
}

impl EventJson {
    fn shown(self) -> Shown {
        let Self { id, name, end_date, capacity, booked_seats, seats_left } = self;
        Shown { id, name, end_date, capacity, booked_seats, seats_left, version: None }
    }
}

fn sold(on_sale: OnSale) -> Sold {
    let OnSale { id, name, capacity, seats_left, booked_seats, version } = on_sale;
    Sold { id, name, end_date: None, capacity, seats_left, booked_seats, version, unlimited_off_by: 0 }
}

impl BookingJson {
    fn borrowed(&self) -> Booking<'_> {
        let (event_id, cancelled) = (Some(self.event_id), self.status == Status::Cancelled);
        Booking { id: self.id, event_id, seq: None, user_id: &self.user_id, seats: self.seats, cancelled }
    }
}
