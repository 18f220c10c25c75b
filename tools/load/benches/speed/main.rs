//! How fast MyEvents is: one table from one run, and the same as JSON in `target/bench.json`. `cargo bench -p load`.
//!
//! - `throughput`: bookings over HTTP, beside a bare server and the bare store
//! - `hot`: one event against a thousand
//! - `reads`: lists, pages
//! - `scrapes`: a scrape with 1,000 event labels in each form, beside a bare answer of the same port; and `traced`: what a request pays for
//!   its story and its exemplars
//! - `watched`: what it costs that 50 browsers have the page open
//! - `view`: from a 201 to the event service's view
//! - `relay`: messages through RabbitMQ, beside a bare client
//! - `apart`: the services as processes of their own, over RabbitMQ and MongoDB
//! - `million`: what a million bookings cost
//! - `size`: start, memory, binary
//! - `one_request`: one request over and over, by the same client as the load
//! - `system`: the real program as a process; `echo`, `store`: what it is compared with
//! - `noise`: what others did to the figures
//! - `table`: the rows, and the goals they are held to
//!
//! The load generator runs on the same machine, and machines are noisy: what is compared is measured in short turns, one
//! after the other, and the median counts. All of it takes five minutes; `cargo bench -p load -- view hot` does only these.
//! Servers are looked for as the tests do, and end before the last row; where one is missing, the rows say so.

mod apart;
mod echo;
mod hot;
mod million;
mod noise;
mod one_request;
mod reads;
mod relay;
mod scrapes;
mod size;
mod store;
mod system;
mod table;
mod throughput;
mod traced;
mod view;
mod watched;

use std::{env, path::Path, time::Duration};

use anyhow::Context;

use noise::Noise;
use system::System;
use table::{Goal, Table};

/// Above it, run it again.
const QUIET: Goal = Goal::Below(5.0);

fn main() -> anyhow::Result<()> {
    process::threads::run(run())
}

async fn run() -> anyhow::Result<()> {
    let arguments: Vec<_> = env::args().collect();
    if let Some(served) = apart::serve(arguments.first().map_or("", String::as_str)).await {
        return served;
    }
    if arguments.iter().any(|argument| argument == echo::ARGUMENT) {
        return echo::serve().await;
    }
    if let Some(at) = arguments.iter().position(|argument| argument == traced::ARGUMENT) {
        return traced::serve(&arguments[at + 1..]).await;
    }
    if !arguments.iter().any(|argument| argument == "--bench") {
        println!("this measures only where it is asked to: cargo bench -p load");
        return Ok(());
    }
    let names: Vec<_> = arguments.iter().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| names.is_empty() || names.iter().any(|name| *name == part);
    testing::binary::myevents(); // cargo builds it now, and not while something is measured
    let (mut table, noise) = (Table::default(), Noise::begin()?);
    if wanted("size") {
        size::measure(&mut table).await?;
    }
    let system = System::start().await?;
    if wanted("throughput") {
        throughput::measure(&system, &mut table).await?;
    }
    if wanted("hot") {
        hot::measure(&system, &mut table).await?;
    }
    if wanted("reads") {
        system.book(16, 1000, Duration::from_millis(100)).await?; // it reads a thousand events
        reads::measure(&system, &mut table).await?;
    }
    if wanted("scrapes") {
        scrapes::measure(&mut table).await?;
        traced::measure(&mut table).await?;
    }
    if wanted("watched") {
        watched::measure(&mut table).await?;
    }
    if wanted("view") {
        system.book(16, 20, Duration::from_millis(100)).await?; // it needs some events
        view::measure(&system, &mut table).await?;
    }
    if wanted("relay") {
        relay::measure(&mut table).await?;
    }
    if wanted("apart") {
        apart::measure(&mut table).await?;
    }
    if wanted("million") {
        million::measure(system, &mut table).await?;
    } else {
        drop(system);
    }
    table.add("share of the processors that other programs took meanwhile", noise.percent()?, "%", Some(QUIET));

    print!("{table}");
    let file = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench.json");
    std::fs::write(&file, serde_json::to_string_pretty(&table)?).with_context(|| file.display().to_string())?;
    println!("\nThe same as JSON: {}", file.display());
    Ok(())
}

/// Tells what is being done: it takes a while.
fn now(what: &str) {
    eprintln!("… {what}");
}

/// The one in the middle, or the upper of the two.
fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_owned();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}
