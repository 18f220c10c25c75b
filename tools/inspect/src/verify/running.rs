//! Reads a running system by what everybody can ask: REST, and the ops ports for what REST does not show.
//!
//! Everything is asked for in pages of 100. Afterwards it is looked at again: if something changed meanwhile, what was
//! read is of no one state, and it is read once more.

use std::collections::BTreeSet;

use anyhow::Context;
use rest::{
    RestClient,
    shapes::{Booking as BookingJson, BookingStatus, DeadList, Event, OnSale},
    urls::Urls,
};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::{
    facts::{Booking, Facts, Shown, Sold},
    quiet::{self, Look, OpsPorts},
    unchecked::Unchecked,
    watch::Watch,
};

/// A request may take as long as `--patience`, within these bounds.
const ONE_REQUEST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Reads until a reading was not disturbed. `watch` sees each booking of it once.
pub(super) async fn read(urls: &Urls, patience: Duration, watch: &mut Watch) -> Result<Facts, Unchecked> {
    let timeout = patience.clamp(ONE_REQUEST.0, ONE_REQUEST.1);
    let mut ops = OpsPorts::new(&urls.ops.of_every_replica(), timeout);
    let mut deadline = Instant::now() + patience;
    loop {
        let look = quiet::wait(&mut ops, deadline).await?;
        let began = Instant::now();
        watch.begin();
        let facts = one_reading(urls, timeout, &look, watch).await?;
        if Look::at(&mut ops).await?.state() == look.state() {
            return Ok(facts);
        }
        if Instant::now() >= deadline + began.elapsed() {
            return Err(Unchecked::Noisy("something changed while it was read".into()));
        }
        deadline += began.elapsed(); // the patience is for the system, not for our own reading
    }
}

async fn one_reading(urls: &Urls, timeout: Duration, look: &Look, watch: &mut Watch) -> anyhow::Result<Facts> {
    let (totals, may_release) = (Some(look.totals()), look.may_release());
    let mut facts = Facts { totals, may_release, ..Facts::default() };
    let mut events = RestClient::new(urls.events.clone(), timeout);
    events.find_replica().await;
    events.pages("/events", "", usize::MAX, |event: Event| facts.shown.push(shown(event))).await?;

    // The booking service has no list of events; its metrics name those on sale, up to a thousand.
    let mut ids: BTreeSet<Uuid> = facts.shown.iter().map(|shown| shown.id).collect();
    ids.extend(look.bookings.labels("myevents_bookings_count", "eventID").filter_map(|id| id.parse::<Uuid>().ok()));
    let mut bookings = RestClient::new(urls.bookings.clone(), timeout);
    bookings.find_replica().await;
    for id in ids {
        let path = format!("/events/{id}");
        let Some(event): Option<OnSale> = bookings.get(&path).await? else { continue };
        facts.sold.push(sold(event));
        let mut count = |booking: BookingJson| {
            let booking = borrowed(&booking);
            facts.tally.add(&booking);
            watch.see(&booking);
        };
        bookings.pages(&format!("{path}/bookings"), "", usize::MAX, &mut count).await?;
    }
    // All replicas of a service have the same ones.
    for (service, targets) in [("eventservice", &urls.ops.events), ("bookingservice", &urls.ops.bookings)] {
        let mut port = RestClient::new(targets[..1].to_vec(), timeout);
        let list: Option<DeadList> = port.get("/dead").await?;
        let list = list.with_context(|| format!("{} is not an ops port of MyEvents", port.url()))?;
        facts.dead.extend(list.items.into_iter().map(|letter| (service, letter)));
    }
    Ok(facts)
}

fn shown(event: Event) -> Shown {
    let Event { id, name, end_date, capacity, booked_seats, seats_left } = event;
    Shown { id, name, end_date, capacity, booked_seats, seats_left, version: None }
}

fn sold(on_sale: OnSale) -> Sold {
    let OnSale { id, name, capacity, seats_left, booked_seats, version } = on_sale;
    Sold { id, name, end_date: None, capacity, seats_left, booked_seats, version, unlimited_off_by: 0 }
}

fn borrowed(booking: &BookingJson) -> Booking<'_> {
    let BookingJson { id, event_id, user_id, seats, status } = booking;
    let cancelled = *status == BookingStatus::Cancelled;
    Booking { id: *id, event_id: Some(*event_id), seq: None, user_id, seats: *seats, cancelled }
}
