//! What a request pays for its story and its exemplars: the same load against two systems, of which one traces nothing. Both are this very
//! program, so that they differ in that alone.

use std::{net::SocketAddr, path::Path, process::Command, sync::Arc, time::Duration};

use anyhow::{Context, ensure};
use messaging::{Bus, in_process::InProcessBus};
use service::{Listen, Settings};
use trace::Stories;

use crate::{
    median, now, one_request,
    reads::an_event,
    system::{Program, System},
    table::{Goal, Table},
};

/// With this argument the benchmark is such a system, in a process of its own.
pub(crate) const ARGUMENT: &str = "--be-a-system";
const TRACED: &str = "traced";

const PAIRS: usize = 10;
const TURN: Duration = Duration::from_millis(800);
const CONNECTIONS: u32 = 64;
const EVENTS: u32 = 20;

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let programs: [Program; 2] =
        [|folder, ports| own(TRACED, folder, ports), |folder, ports| own("untraced", folder, ports)];
    let [traced, untraced] = programs;
    let (traced, untraced) = (System::of(traced).await?, System::of(untraced).await?);
    ensure!(exemplars(&traced).await? > 0 && exemplars(&untraced).await? == 0, "they do not differ as they should");
    let (mut booked, mut read) = (Vec::new(), Vec::new());
    for pair in 1..=PAIRS {
        now(&format!("with stories and exemplars, and without: pair {pair} of {PAIRS}"));
        let first = pair % 2 == 0; // which of them is first changes each time
        booked.push(ratio(&traced, &untraced, first, bookings).await?);
        read.push(ratio(&traced, &untraced, first, reads).await?);
    }
    let bookings = "bookings with stories and exemplars to those without, 64 connections, 10 pairs";
    table.add(bookings, median(&booked), "", Some(Goal::AtLeast(0.95)));
    table.add("… GET /events/{id}", median(&read), "", None);
    Ok(())
}

/// The one measured to the other one.
async fn ratio(
    traced: &System,
    untraced: &System,
    first: bool,
    measure: impl AsyncFn(&System) -> anyhow::Result<f64>,
) -> anyhow::Result<f64> {
    if first {
        let with = measure(traced).await?;
        Ok(with / measure(untraced).await?)
    } else {
        let without = measure(untraced).await?;
        Ok(measure(traced).await? / without)
    }
}

async fn bookings(system: &System) -> anyhow::Result<f64> {
    Ok(system.book(CONNECTIONS, EVENTS, TURN).await?.requests_per_second)
}

async fn reads(system: &System) -> anyhow::Result<f64> {
    let path = format!("/events/{}", an_event(system).await?);
    Ok(one_request::send(&system.events()?, &path, None, CONNECTIONS, TURN).await?.per_second)
}

/// How many there are after some bookings. The first turn of a new file is not like the others, either.
async fn exemplars(system: &System) -> anyhow::Result<usize> {
    bookings(system).await?;
    let text = system.ops("/metrics", "application/openmetrics-text", "identity").await?;
    Ok(String::from_utf8(text)?.matches("# {trace_id=").count())
}

/// This program, as both services in one process.
fn own(traced: &str, folder: &Path, ports: [u16; 5]) -> Command {
    let me = std::env::current_exe().expect("a running program has a path");
    let mut command = Command::new(me);
    command.arg(ARGUMENT).arg(traced).arg(folder.join("data")).args(ports.map(|port| port.to_string())).env_clear();
    command
}

/// Does what `myevents` does without a command.
pub(crate) async fn serve(arguments: &[String]) -> anyhow::Result<()> {
    let [traced, folder, ports @ ..] = arguments else { anyhow::bail!("{ARGUMENT} {TRACED} FOLDER PORT…") };
    let listen = |number: usize| -> anyhow::Result<Listen> {
        let port = ports.get(number).context("four ports")?.parse()?;
        Ok(Listen { address: SocketAddr::from(([127, 0, 0, 1], port)), option: ARGUMENT })
    };
    let stories = if traced == TRACED { Stories::default() } else { Stories::none() };
    let settings = |rest, ops| {
        anyhow::Ok(Settings {
            rest: listen(rest)?,
            ops: listen(ops)?,
            rest_workers: 2,
            servers: 2,
            shutdown_delay: Duration::ZERO,
            keep_alive_timeout: Duration::from_secs(75),
            metrics: Default::default(),
            data_dir: folder.into(),
            mongo: None,
            stories: stories.clone(),
        })
    };
    let (stop, bus): (_, Arc<dyn Bus>) = (process::shutdown::on_signal()?, Arc::new(InProcessBus::new()));
    let events = eventservice::app::build(settings(0, 2)?, bus.clone(), stop.clone()).await?;
    let bookings = bookingservice::app::build(settings(1, 3)?, bus, stop.clone()).await?;
    let (events, bookings) = tokio::join!(events.run_until(stop.clone()), bookings.run_until(stop));
    Ok(events.and(bookings)?)
}
