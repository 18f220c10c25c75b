//! What a million bookings cost: memory, the next start, a page.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{
    now,
    reads::page_of_bookings,
    system::System,
    table::{Goal, Table},
};

const MILLION: f64 = 1e6;

/// A slow machine gets no further than it comes; the rows then say how far.
const AT_MOST: Duration = Duration::from_secs(90);

pub(crate) async fn measure(system: System, table: &mut Table) -> anyhow::Result<()> {
    let (began, mut stored) = (Instant::now(), 0.0);
    while began.elapsed() < AT_MOST {
        stored = system.metric("myevents_bookings_accepted_total ").await?;
        if stored >= MILLION {
            break;
        }
        now(&format!("filling up to 1,000,000 bookings: {stored}"));
        system.book(256, 20, Duration::from_secs(5)).await?;
    }
    let with = if stored >= MILLION { "1,000,000 bookings".to_owned() } else { format!("ONLY {stored} bookings") };
    table.add(format!("resident memory after {with}"), system.memory_mb()?, "MB", Some(Goal::Below(200.0)));

    now("a page, and starts with all that");
    let page = page_of_bookings(&system).await?;
    table.add(format!("a page of bookings with {with}, 16 connections"), page.per_second, "/s", None);
    let system = system.restart(Signal::TERM).await?;
    table.add(format!("start to ready with {with}"), system.ready_ms, "ms", Some(Goal::Below(500.0)));
    let system = system.restart(Signal::KILL).await?;
    table.add("… after a kill -9", system.ready_ms, "ms", Some(Goal::Below(500.0)));
    Ok(())
}
