//! `myevents load`: clients that read, book, repeat, cancel and make mistakes, as fast as they can or at a given rate.
//!
//! - the plan: [`options`], and [`mix`], how often each kind of request is made
//! - the events that are booked: [`prepare`] finds or creates them, [`inventory`] holds each between 20 % and 90 % sold
//! - a request: [`pace`] says when the next is due, [`choice`] which it is, and [`job`] is one
//! - [`client`]: sends them one by one; what all clients have in common is in [`shared`]
//! - [`outcome`]: what an answer means for the inventory and for the [`record`]
//! - the results: [`tally`] counts, [`report`] shows it, [`progress`] is the bar, [`seen`] the same for a program, [`push`] sends it to
//!   a Pushgateway
//!
//! It runs on the machine of the system it loads, so it must be cheap: one thread, and the bare HTTP/1.1 client of `hyper`.

mod choice;
mod client;
mod inventory;
mod job;
mod mix;
pub mod options;
mod outcome;
mod pace;
mod prepare;
mod progress;
mod push;
pub mod record;
pub mod report;
pub mod seen;
mod shared;
mod tally;

use std::{
    io::{self, Write},
    pin::pin,
    process::ExitCode,
    sync::{Arc, Mutex},
    time::Duration,
};

pub use self::{mix::Shares, options::Plan};

use anyhow::Context;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    client::Client, mix::Phase, options::Options, pace::Pace, progress::Progress, push::Group, record::Recorder,
    report::Report, shared::Shared, tally::Tally,
};

/// Answers that come within this time after the end are not worth a word.
const SOON: Duration = Duration::from_millis(300);

/// The job as the command line asks for it. A run that was ended by Ctrl-C is a good one.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let plan = options.plan()?;
    let group = Group::read(&options, &plan.names)?;
    if let (Some(group), true) = (&group, options.push_delete) {
        group.delete().await?;
        return Ok(ExitCode::SUCCESS);
    }
    let stop = process::shutdown::on_signal()?;
    let performed = perform(plan, stop).await;
    let well = performed.as_ref().is_ok_and(|report| report.record_trouble.is_none());
    // A run that could not begin is pushed, too: else the last good one would stay there.
    let pushed = match &group {
        Some(group) => group.replace(performed.as_ref().ok(), u8::from(!well)).await,
        None => Ok(()),
    };
    if let Err(cause) = &pushed {
        eprintln!("myevents: the result is not pushed: {cause:#}");
    }
    let report = performed?;
    let text = if options.json { serde_json::to_string_pretty(&report)? + "\n" } else { report.to_string() };
    // `println!` would panic where nobody reads.
    io::stdout().write_all(text.as_bytes())?;
    Ok(if well && pushed.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Loads the system until the time is over or `stop` is cancelled, and reports what was done.
pub async fn perform(plan: Plan, stop: CancellationToken) -> anyhow::Result<Report> {
    let recorder = plan.record.as_deref().map(Recorder::open).transpose()?;
    let preparing = stop.run_until_cancelled(prepare::events(&plan)).await;
    let inventory = preparing.context("it was stopped before it began")??;
    let filling = Shared {
        pace: Pace::new(plan.fill_rate, stop.clone()),
        stop: stop.clone(),
        inventory: Mutex::new(inventory),
        tally: Mutex::default(),
        recorder,
        run: format!("{:08x}", fastrand::u32(..)),
        plan,
    };
    let filled = work(filling, Phase::Fill).await;
    let ready = filled.tally().clone();

    let stop = stop.child_token();
    let pace = Pace::new(filled.plan.rate, stop.clone());
    let loading = Shared { pace, stop: stop.clone(), tally: Mutex::new(Tally::after(&ready)), ..filled };
    let duration = loading.plan.duration.unwrap_or(Duration::MAX);
    // The answers that are waited for afterwards are no time in which more requests are due.
    let ended = tokio::spawn(async move {
        let _ = timeout(duration, stop.cancelled()).await;
        stop.cancel();
        Instant::now()
    });
    let mut done = work(loading, Phase::Mix).await;
    done.stop.cancel();
    let ended = ended.await.unwrap_or_else(|_| Instant::now());
    let record_trouble = done.recorder.take().and_then(|recorder| recorder.end(outcome::users(&done.run)));
    let (inventory, tally) = (done.inventory(), done.tally());
    Ok(Report { record_trouble, ..tally.report(&done.plan, &done.pace, ended, &inventory) })
}

/// Runs all clients of one phase to their end.
async fn work(shared: Shared, phase: Phase) -> Shared {
    let shared = Arc::new(shared);
    let progress = Progress::start(&shared, phase);
    let stop = shared.stop.clone();
    let mut clients = JoinSet::new();
    for number in 0..shared.plan.connections {
        clients.spawn(Client::new(shared.clone(), number).run(phase));
    }
    let mut all = pin!(clients.join_all());
    if stop.run_until_cancelled(&mut all).await.is_none() && timeout(SOON, &mut all).await.is_err() {
        progress.say("Waiting for the last answers; Ctrl-C ends it without them.");
        all.await;
    }
    progress.end().await;
    Arc::into_inner(shared).expect("all clients have ended")
}
