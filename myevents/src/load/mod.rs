//! `myevents load`: clients that read, book, repeat, cancel and make mistakes, as fast as they can or at a given rate.
//!
//! - [`options`]: the options, and the [`Plan`] they mean
//! - [`mix`]: the kinds of requests, and how often each is made
//! - [`stock`]: the events that are booked, each held between 20 % and 90 % sold
//! - [`prepare`]: finds or creates these events, and sells the first seats
//! - [`pace`]: when the next request is due
//! - [`job`], [`bad`]: one request, and what it is expected to come to
//! - [`client`], [`connection`]: one client, and its connections
//! - [`settle`]: what an answer means for the stock and the record
//! - [`recorder`]: writes [`crate::record`]
//! - [`tally`], [`report`], [`table`]: what is counted, and how it is told
//! - [`push`]: the result at a Pushgateway
//! - [`progress`]: the bar
//! - [`hammer`]: one request over and over, for the benchmarks
//!
//! It runs on the machine of the system it loads, so it must be cheap: one thread, and the bare HTTP/1.1 client of `hyper`.

mod bad;
mod client;
mod connection;
pub mod hammer;
mod job;
mod mix;
pub mod options;
mod pace;
mod prepare;
mod progress;
mod push;
mod recorder;
pub mod report;
mod settle;
mod stock;
mod table;
mod tally;
mod target;

use std::{
    io::{self, Write},
    pin::pin,
    process::ExitCode,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

pub use self::{mix::Shares, options::Plan, target::Target};

use anyhow::Context;
use tokio::{
    task::JoinSet,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;

use self::{
    client::{Client, Phase},
    options::Options,
    pace::Pace,
    progress::Progress,
    push::Group,
    recorder::Recorder,
    report::Report,
    stock::Stock,
    tally::Tally,
};

/// Answers that come within this time after the end are not worth a word.
const SOON: Duration = Duration::from_millis(300);

/// What all clients share. There is one thread, so the locks never wait.
struct Shared {
    plan: Plan,
    pace: Pace,
    stop: CancellationToken,
    stock: Mutex<Stock>,
    tally: Mutex<Tally>,
    recorder: Option<Recorder>,
    /// Tells this run's users and keys from those of any other.
    run: String,
}

impl Shared {
    fn stock(&self) -> MutexGuard<'_, Stock> {
        self.stock.lock().expect("nothing panics while it holds this")
    }

    fn tally(&self) -> MutexGuard<'_, Tally> {
        self.tally.lock().expect("nothing panics while it holds this")
    }
}

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
    // Also a run that could not begin is told: else the last good one would stand there.
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

/// Loads the system until the time is over or `stop` is cancelled, and tells what was done.
pub async fn perform(plan: Plan, stop: CancellationToken) -> anyhow::Result<Report> {
    let recorder = plan.record.as_deref().map(Recorder::open).transpose()?;
    let preparing = stop.run_until_cancelled(prepare::events(&plan)).await;
    let stock = preparing.context("it was stopped before it began")??;
    let filling = Shared {
        pace: Pace::closed(stop.clone()),
        stop: stop.clone(),
        stock: Mutex::new(stock),
        tally: Mutex::default(),
        recorder,
        run: format!("{:08x}", fastrand::u32(..)),
        plan,
    };
    let filled = work(filling, Phase::Fill).await;
    let ready = filled.tally().clone();

    let stop = stop.child_token();
    let pace = filled.plan.rate.map_or_else(|| Pace::closed(stop.clone()), |rate| Pace::open(rate, stop.clone()));
    let loading = Shared { pace, stop: stop.clone(), tally: Mutex::new(Tally::after(&ready)), ..filled };
    let timer = loading.plan.duration.map(|duration| {
        tokio::spawn(async move {
            tokio::time::sleep(duration).await;
            stop.cancel();
        })
    });
    // The answers that are waited for afterwards are no time in which more requests are due.
    let stopped = loading.stop.clone();
    let ended = tokio::spawn(async move {
        stopped.cancelled().await;
        Instant::now()
    });
    let done = work(loading, Phase::Mix).await;
    done.stop.cancel();
    if let Some(timer) = timer {
        timer.abort();
    }
    let ended = ended.await.unwrap_or_else(|_| Instant::now());
    let record_trouble = done.recorder.as_ref().and_then(|recorder| {
        recorder.end(settle::users(&done.run));
        recorder.trouble().map(str::to_owned)
    });
    let (stock, tally) = (done.stock(), done.tally());
    Ok(Report { record_trouble, ..Report::new(&done.plan, &done.pace, ended, &stock, &tally) })
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
