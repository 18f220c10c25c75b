//! Waits until a running system is quiet: no request is in flight, every outbox is empty, and nothing changed for a while.
//! Only then its two services must agree, and a reading that takes a while is of one state.

use std::time::Duration;

use anyhow::{Context, anyhow};
use hyper::StatusCode;
use rest::{
    Request, RestClient, RestError, Target,
    exposition::{Exposition, Replicas},
    urls::OpsUrls,
};
use tokio::time::{Instant, sleep};

use super::facts::{Totals, Unchecked};

/// Between two looks. A system under load changes many times within it.
const PAUSE: Duration = Duration::from_millis(250);

/// Processes that share a database read it every 5 s, and show what they read until the next time. So their metrics are
/// current only if nothing has changed for longer than that.
const SHARED: Duration = Duration::from_secs(7);

/// The ops ports of all replicas.
pub(super) struct OpsPorts {
    events: Vec<RestClient>,
    bookings: Vec<RestClient>,
}

impl OpsPorts {
    pub(super) fn new(urls: &OpsUrls, timeout: Duration) -> Self {
        let clients =
            |targets: &[Target]| targets.iter().map(|target| RestClient::new(vec![target.clone()], timeout)).collect();
        Self { events: clients(&urls.events), bookings: clients(&urls.bookings) }
    }
}

/// What one look at all ops ports shows.
pub(super) struct Look {
    /// The event service's metrics.
    events: Replicas,
    /// The booking service's.
    pub(super) bookings: Replicas,
}

impl Look {
    /// Looks once.
    pub(super) async fn at(ops: &mut OpsPorts) -> anyhow::Result<Self> {
        Ok(Self {
            events: replicas(&mut ops.events, "myevents_view_seat_changes", "an event service").await?,
            bookings: replicas(&mut ops.bookings, "myevents_seat_changes", "a booking service").await?,
        })
    }

    /// The metrics that are compared with what is stored.
    pub(super) fn totals(&self) -> Totals {
        let both = |name: &str| self.events.stored(name).unwrap_or(0) + self.bookings.stored(name).unwrap_or(0);
        Totals {
            seat_changes: self.bookings.stored("myevents_seat_changes").unwrap_or(0),
            view_seat_changes: self.events.stored("myevents_view_seat_changes").unwrap_or(0),
            seats_confirmed: self.bookings.stored("myevents_seats_confirmed").unwrap_or(0),
            holds: both("myevents_holds"),
            dead_letters: both("myevents_dead_letters"),
        }
    }

    /// What changes with everything that is stored, at each replica.
    pub(super) fn state(&self) -> Vec<Vec<Option<u64>>> {
        let (events, bookings) = (&self.events, &self.bookings);
        vec![
            events.each("myevents_events_created_total"),
            events.each("myevents_view_seat_changes"),
            events.each("myevents_dead_letters"),
            events.each("process_start_time_seconds"),
            bookings.each("myevents_dead_letters"),
            bookings.each("myevents_seat_changes"),
            bookings.each("myevents_seats_confirmed"),
            bookings.each("process_start_time_seconds"),
        ]
    }

    /// Why it is not quiet, in words.
    fn noise(&self) -> Vec<String> {
        let mut noise = Vec::new();
        for (service, metrics) in [("event", &self.events), ("booking", &self.bookings)] {
            let pending = metrics.stored("myevents_outbox_pending_messages").unwrap_or(0);
            let in_flight = metrics.sum("myevents_http_requests_in_flight");
            for (count, what) in [(pending, "messages in the outbox"), (in_flight, "requests in flight")] {
                if count > 0 {
                    noise.push(format!("the {service} service has {count} {what}"));
                }
            }
        }
        noise
    }

    /// Whether what goes on by itself has come to its end: the event service has every change in its view, and the janitor
    /// has completed every hold.
    fn caught_up(&self) -> bool {
        let Totals { seat_changes, view_seat_changes, holds, .. } = self.totals();
        seat_changes == view_seat_changes && holds == 0
    }

    /// How long nothing may have changed.
    fn calm(&self) -> Duration {
        if over_mongo(&self.events) || over_mongo(&self.bookings) { SHARED } else { PAUSE }
    }

    /// Whether seats may have been taken and given back without a booking: MongoDB has no transactions here.
    pub(super) fn may_release(&self) -> bool {
        over_mongo(&self.bookings)
    }
}

fn over_mongo(replicas: &Replicas) -> bool {
    replicas.stored("myevents_mongodb_pool_connections").is_some()
}

/// Waits for it. What stays behind although nothing is under way is not waited for longer than that: it is what is looked
/// for.
pub(super) async fn wait(ops: &mut OpsPorts, deadline: Instant) -> Result<Look, Unchecked> {
    let (mut before, mut since) = (Look::at(ops).await?, Instant::now());
    loop {
        sleep(PAUSE).await;
        let (look, late) = (Look::at(ops).await?, Instant::now() >= deadline);
        let mut noise = look.noise();
        if look.state() != before.state() {
            noise.push("something changed just now".to_owned());
        }
        if noise.is_empty() && since.elapsed() >= look.calm() && (look.caught_up() || late) {
            return Ok(look);
        }
        if !noise.is_empty() {
            if late {
                return Err(Unchecked::Noisy(noise.join(", ")));
            }
            since = Instant::now();
        }
        before = look;
    }
}

async fn replicas(ports: &mut [RestClient], mark: &str, what: &str) -> anyhow::Result<Replicas> {
    let mut all = Vec::new();
    for port in ports {
        let one = metrics(port).await?;
        one.sum(mark).with_context(|| format!("{}/metrics is not the one of {what}", port.url()))?;
        all.push(one);
    }
    Ok(Replicas(all))
}

async fn metrics(port: &mut RestClient) -> anyhow::Result<Exposition> {
    let text = port.text(&Request::get("/metrics".to_owned()), StatusCode::OK).await;
    if let Err(RestError::Silent { url, cause }) = text {
        return Err(anyhow!(cause).context(format!("{url} does not answer: is the system running?")));
    }
    text?.map(Exposition).with_context(|| format!("there is nothing at {}/metrics", port.url()))
}
