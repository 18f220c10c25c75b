//! What a million bookings cost: memory, the next start, a page.

use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::{
    median, now,
    reads::page_of_bookings,
    system::System,
    table::{Goal, Table},
};

const MILLION: f64 = 1e6;
const TURNS: usize = 3;

/// A slow machine gets no further than it comes; the rows then say how far.
const AT_MOST: Duration = Duration::from_secs(120);

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
    pages(&system, &with, table).await?;
    let system = system.restart(Signal::TERM).await?;
    table.add(format!("start to ready with {with}"), system.ready_ms, "ms", Some(Goal::Below(500.0)));
    let system = system.restart(Signal::KILL).await?;
    table.add("… after a kill -9", system.ready_ms, "ms", Some(Goal::Below(500.0)));
    Ok(())
}

/// A page must cost the same, whatever else is stored; a small system beside the large one shows it.
async fn pages(large: &System, with: &str, table: &mut Table) -> anyhow::Result<()> {
    let small = System::start().await?;
    while small.metric("myevents_bookings_accepted_total ").await? < 1000.0 {
        small.book(16, 1, Duration::from_millis(50)).await?;
    }
    let (mut of_small, mut of_large) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        of_small.push(page_of_bookings(&small).await?.per_second);
        of_large.push(page_of_bookings(large).await?.per_second);
    }
    let (of_small, of_large) = (median(&of_small), median(&of_large));
    table.add("a page of 20 bookings with 1,000 bookings, 16 connections", of_small, "/s", None);
    table.add(format!("a page of 20 bookings with {with}"), of_large, "/s", None);
    table.add("the large one to the small one", of_large / of_small, "", Some(Goal::AtLeast(0.8)));
    Ok(())
}
