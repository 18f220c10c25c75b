//! Three sample events, so that a new user needs one command for the first booking.
//!
//! They begin in the weeks after the first start, so that they can be booked then. They are created over
//! REST (see `own_services.rs`) and are events like any other.

use std::time::Duration;

use anyhow::bail;
use jiff::{SignedDuration, Timestamp};
use rest::shapes::Event;
use serde_json::{Value, json};
use tokio::time::Instant;

use crate::own_services::OwnServices;

/// How long to wait until the booking service knows the samples. It takes some milliseconds.
const ON_SALE_TIMEOUT: Duration = Duration::from_secs(10);

/// Name, days from now, hours, capacity: large, small enough to be sold out by hand, and without limit.
const SAMPLES: [(&str, i64, i64, Option<u32>); 3] = [
    ("Rust in Production", 30, 8, Some(500)),
    ("Kitchen Concert, ten chairs", 60, 3, Some(10)),
    ("Open Air Cinema", 90, 4, None),
];

/// Creates the samples that are missing, since an earlier start can have been killed in between. Waits until all can be booked.
pub(crate) async fn create(services: &mut OwnServices) -> anyhow::Result<()> {
    let there = services.list("").await?;
    let mut ids = Vec::new();
    for body in bodies(Timestamp::now()) {
        let same = there.iter().find(|event| body["name"] == event.name.as_str());
        ids.push(match same {
            Some(event) => event.id,
            None => services.events.create::<Event>("/events", body.to_string()).await?.id,
        });
    }
    let deadline = Instant::now() + ON_SALE_TIMEOUT;
    for id in ids {
        if services.bookings.on_sale(id, deadline).await?.is_none() {
            bail!("the booking service does not know event {id} after {ON_SALE_TIMEOUT:?}");
        }
    }
    Ok(())
}

/// The bodies of `POST /events`.
fn bodies(now: Timestamp) -> impl Iterator<Item = Value> {
    SAMPLES.into_iter().map(move |(name, days, hours, capacity)| {
        let start = evening(now) + SignedDuration::from_hours(24 * days);
        let end = start + SignedDuration::from_hours(hours);
        let mut body = json!({ "name": name, "start_date": format!("{start:.3}"), "end_date": format!("{end:.3}") });
        if let Some(capacity) = capacity {
            body["capacity"] = capacity.into();
        }
        body
    })
}

/// 18:00 UTC of the day.
fn evening(now: Timestamp) -> Timestamp {
    let day = 24 * 60 * 60;
    let midnight = now.as_second().div_euclid(day) * day;
    Timestamp::from_second(midnight + 18 * 60 * 60).unwrap_or(now)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_samples_begin_on_evenings_to_come() {
        let bodies: Vec<_> = bodies("2026-08-01T23:59:59.999Z".parse().unwrap()).collect();
        assert_eq!(bodies[0]["start_date"], "2026-08-31T18:00:00.000Z");
        assert_eq!(bodies[0]["end_date"], "2026-09-01T02:00:00.000Z");
        assert!(bodies.iter().all(|body| body["start_date"].as_str() < body["end_date"].as_str()));
        assert_eq!(bodies[2].get("capacity"), None);
    }
}
