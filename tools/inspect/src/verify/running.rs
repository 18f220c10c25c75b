//! Reads a running system by what everybody can ask: REST, and the ops ports for what REST does not show.
//!
//! Everything is asked for in pages of 100. Afterwards it is looked at again: if something changed meanwhile, what was
//! read is of no one state, and it is read once more.

use std::collections::BTreeSet;

use rest::{
    RestClient,
    shapes::{Booking as BookingJson, BookingStatus},
    urls::Urls,
};
use tokio::time::{Duration, Instant};
use uuid::Uuid;

use super::{
    against::Against,
    facts::{Booking, Facts, Sold, Unchecked},
    quiet::{self, Look, OpsPorts},
};
use crate::dead;

/// A request may take as long as `--patience`, within these bounds.
const ONE_REQUEST: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(30));

/// Reads until a reading was not disturbed. A record is held against its bookings.
pub(super) async fn read(urls: &Urls, patience: Duration, against: &mut Option<Against>) -> Result<Facts, Unchecked> {
    let timeout = patience.clamp(ONE_REQUEST.0, ONE_REQUEST.1);
    let mut ops = OpsPorts::new(&urls.ops.of_every_replica().await, timeout);
    let mut deadline = Instant::now() + patience;
    loop {
        let look = quiet::wait(&mut ops, deadline).await?;
        let began = Instant::now();
        if let Some(against) = against {
            against.begin();
        }
        let facts = one_reading(urls, timeout, &look, against).await?;
        if Look::at(&mut ops).await?.state() == look.state() {
            return Ok(facts);
        }
        if Instant::now() >= deadline + began.elapsed() {
            return Err(Unchecked::Noisy("something changed while it was read".into()));
        }
        deadline += began.elapsed(); // the patience is for the system, not for our own reading
    }
}

async fn one_reading(
    urls: &Urls,
    timeout: Duration,
    look: &Look,
    against: &mut Option<Against>,
) -> anyhow::Result<Facts> {
    let (totals, may_release) = (Some(look.totals()), look.may_release());
    let mut facts = Facts { totals, may_release, ..Facts::default() };
    let mut events = RestClient::new(urls.events.clone(), timeout);
    events.find_replica().await;
    events.pages("/events", "", usize::MAX, |event| facts.shown.push(event)).await?;

    // The booking service has no list of events; its metrics name those on sale, up to a thousand.
    let mut ids: BTreeSet<Uuid> = facts.shown.iter().map(|shown| shown.id).collect();
    ids.extend(look.bookings.labels("myevents_bookings_count", "eventID").filter_map(|id| id.parse::<Uuid>().ok()));
    let mut bookings = RestClient::new(urls.bookings.clone(), timeout);
    bookings.find_replica().await;
    for id in ids {
        let path = format!("/events/{id}");
        let Some(event): Option<Sold> = bookings.get(&path).await? else { continue };
        facts.sold.push(event);
        let mut count = |booking: BookingJson| {
            let booking = borrowed(&booking);
            facts.tally.add(&booking);
            if let Some(against) = against.as_mut() {
                against.see(&booking);
            }
        };
        bookings.pages(&format!("{path}/bookings"), "", usize::MAX, &mut count).await?;
    }
    facts.dead = dead::running(&urls.ops, timeout).await?;
    Ok(facts)
}

fn borrowed(booking: &BookingJson) -> Booking<'_> {
    let BookingJson { id, event_id, user_id, seats, status } = booking;
    let cancelled = *status == BookingStatus::Cancelled;
    Booking { id: *id, event_id: Some(*event_id), seq: None, user_id, seats: *seats, cancelled }
}
