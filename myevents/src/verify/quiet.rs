//! Waits until a running system is quiet: no request is in flight, every outbox is empty, and nothing changed between two
//! looks. Only then its two services must agree, and a reading that takes a while is of one state.

use std::time::Duration;

use anyhow::Context;
use reqwest::Client;
use tokio::time::{Instant, sleep};

use super::{Unchecked, exposition::Exposition, facts::Totals};
use crate::urls::OpsUrls;

/// Between two looks. A system under load changes many times within it.
const PAUSE: Duration = Duration::from_millis(250);

/// What one look at both ops ports shows.
pub(super) struct Look {
    /// The event service's metrics.
    events: Exposition,
    /// The booking service's.
    pub(super) bookings: Exposition,
}

impl Look {
    /// Looks once.
    pub(super) async fn at(client: &Client, ops: &OpsUrls) -> anyhow::Result<Self> {
        let (events, bookings) = (metrics(client, &ops.events).await?, metrics(client, &ops.bookings).await?);
        events.sum("myevents_view_seat_changes").with_context(|| wrong(&ops.events, "an event service"))?;
        bookings.sum("myevents_seat_changes").with_context(|| wrong(&ops.bookings, "a booking service"))?;
        Ok(Self { events, bookings })
    }

    /// The metrics that are compared with what is stored.
    pub(super) fn totals(&self) -> Totals {
        let both = |name: &str| self.events.sum(name).unwrap_or(0) + self.bookings.sum(name).unwrap_or(0);
        Totals {
            seat_changes: self.bookings.sum("myevents_seat_changes").unwrap_or(0),
            view_seat_changes: self.events.sum("myevents_view_seat_changes").unwrap_or(0),
            seats_confirmed: self.bookings.sum("myevents_seats_confirmed").unwrap_or(0),
            holds: both("myevents_holds"),
            dead_letters: both("myevents_dead_letters"),
        }
    }

    /// What changes with everything that is stored.
    pub(super) fn state(&self) -> [Option<u64>; 6] {
        let (events, bookings) = (&self.events, &self.bookings);
        [
            events.sum("myevents_events_created_total"),
            events.sum("myevents_view_seat_changes"),
            events.sum("myevents_dead_letters"),
            bookings.sum("myevents_dead_letters"),
            bookings.sum("myevents_seat_changes"),
            bookings.sum("process_start_time_seconds"),
        ]
    }

    /// Why it is not quiet, in words.
    fn noise(&self) -> Vec<String> {
        let mut noise = Vec::new();
        for (service, metrics) in [("event", &self.events), ("booking", &self.bookings)] {
            for (name, what) in
                [("myevents_outbox_pending_messages", "messages in the outbox"), (IN_FLIGHT, "requests in flight")]
            {
                let count = metrics.sum(name).unwrap_or(0);
                if count > 0 {
                    noise.push(format!("the {service} service has {count} {what}"));
                }
            }
        }
        noise
    }

    /// Whether the event service has heard of every change.
    fn caught_up(&self) -> bool {
        let Totals { seat_changes, view_seat_changes, .. } = self.totals();
        seat_changes == view_seat_changes
    }
}

const IN_FLIGHT: &str = "myevents_http_requests_in_flight";

/// Waits for it. A view that stays behind although nothing is under way is not waited for longer than that: it is what
/// is looked for.
pub(super) async fn wait(client: &Client, ops: &OpsUrls, deadline: Instant) -> Result<Look, Unchecked> {
    let mut before = Look::at(client, ops).await?;
    loop {
        sleep(PAUSE).await;
        let look = Look::at(client, ops).await?;
        let mut noise = look.noise();
        if look.state() != before.state() {
            noise.push("something changed just now".to_owned());
        }
        let late = Instant::now() >= deadline;
        if noise.is_empty() && (look.caught_up() || late) {
            return Ok(look);
        }
        if late {
            return Err(Unchecked::Noisy(noise.join(", ")));
        }
        before = look;
    }
}

async fn metrics(client: &Client, url: &str) -> anyhow::Result<Exposition> {
    let url = format!("{url}/metrics");
    let response = client.get(&url).send().await.map_err(|cause| cause.without_url());
    let response = response.with_context(|| format!("{url} does not answer: is the system running?"))?;
    let text = response.error_for_status()?.text().await.with_context(|| format!("{url} broke off"))?;
    Ok(Exposition(text))
}

fn wrong(url: &str, what: &str) -> String {
    format!("{url}/metrics is not the one of {what}")
}
