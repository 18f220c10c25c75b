//! What it costs that browsers look: bookings of a system whose page 50 browsers have open, beside one that nobody looks at. And how soon
//! they all see a booking.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use load::Plan;
use serde_json::{Value, json};
use testing::told::Stream;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use crate::{
    median, now,
    system::{System, plan},
    table::{Goal, Table},
};

const BROWSERS: usize = 50;
const PAIRS: usize = 8;
/// Longer than the time between two samples.
const TURN: Duration = Duration::from_millis(2500);
const CONNECTIONS: u32 = 64;
const EVENTS: u32 = 20;

/// Bookings a second, while it is measured how soon one is seen; so many are looked for.
const RATE: f64 = 200.0;
const LOOKED_FOR: u64 = 10;
const SHOWN_TIMEOUT: Duration = Duration::from_secs(10);

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    let (watched, alone) = (System::start().await?, System::start().await?);
    for system in [&watched, &alone] {
        system.book(CONNECTIONS, EVENTS, TURN).await?; // the first turn of a new file is not like the others
    }
    let mut ratios = Vec::new();
    for pair in 1..=PAIRS {
        now(&format!("with {BROWSERS} browsers, and without: pair {pair} of {PAIRS}"));
        let with = async || {
            let browsers = Browsers::open(&watched, "Bench").await?;
            let booked = watched.book(CONNECTIONS, EVENTS, TURN).await?.requests_per_second;
            drop(browsers);
            anyhow::Ok(booked)
        };
        let without = async || anyhow::Ok(alone.book(CONNECTIONS, EVENTS, TURN).await?.requests_per_second);
        // Which of them is first changes each time.
        ratios.push(if pair % 2 == 0 {
            let with = with().await?;
            with / without().await?
        } else {
            let without = without().await?;
            with().await? / without
        });
    }
    let what = format!("bookings with {BROWSERS} browsers on the page to those without, 64 connections, {PAIRS} pairs");
    table.add(what, median(&ratios), "", Some(Goal::AtLeast(0.95)));

    now("from a 201 to all browsers");
    let ms = seen_by_all(&watched).await?;
    table.add(format!("… 201 to all of them at {RATE} bookings a second, p50"), median(&ms), "ms", None);
    let slowest = ms.iter().copied().fold(0.0, f64::max);
    table.add("… the slowest", slowest, "ms", Some(Goal::Below(2000.0)));
    Ok(())
}

/// How long it takes until all browsers show one more seat, again and again while others book, in milliseconds.
async fn seen_by_all(system: &System) -> anyhow::Result<Vec<f64>> {
    let (events, bookings) = (system.events()?, system.bookings()?);
    let http = reqwest::Client::builder().no_proxy().build()?;
    let event = json!({
        "name": "Looked for", "start_date": "2100-01-01T18:00:00Z", "end_date": "2100-01-01T20:00:00Z",
    });
    let made: Value = http.post(format!("{}/events", events.url)).json(&event).send().await?.json().await?;
    let book = format!("{}/events/{}/bookings", bookings.url, made["id"].as_str().context("an id")?);
    let browsers = Browsers::open(system, "Looked").await?;
    let (stop, others) = (CancellationToken::new(), plan(events, bookings, 16, EVENTS, Duration::from_secs(600)));
    let others = load::perform(Plan { rate: Some(RATE), ..others }, stop.clone());
    let looks = async {
        tokio::time::sleep(Duration::from_secs(1)).await; // until the others book
        let mut ms = Vec::new();
        for seats in 1..=LOOKED_FOR {
            let answered = http.post(&book).json(&json!({ "seats": 1 })).send().await?;
            ensure!(answered.status() == 201, "a booking was answered {}", answered.status());
            let began = Instant::now();
            while browsers.slowest() < seats {
                ensure!(began.elapsed() < SHOWN_TIMEOUT, "not all browsers show it within {SHOWN_TIMEOUT:?}");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            ms.push(began.elapsed().as_secs_f64() * 1000.0);
            // So that it is not always the moment after the page has looked.
            tokio::time::sleep(Duration::from_millis(137 * seats)).await;
        }
        stop.cancel();
        Ok(ms)
    };
    let (others, ms) = tokio::join!(others, looks);
    ensure!(others?.unanswered == 0, "the others were not answered");
    ms
}

/// Streams of the page that are read; dropping this closes them.
struct Browsers {
    /// The booked seats of the first event in the list, as each of them knows it.
    shown: Vec<Arc<AtomicU64>>,
    _reading: JoinSet<()>,
}

impl Browsers {
    /// Opens them all with a list of such events, and waits until each was told something.
    async fn open(system: &System, name: &str) -> anyhow::Result<Self> {
        let (mut shown, mut reading) = (Vec::new(), JoinSet::new());
        for _ in 0..BROWSERS {
            let mut stream = Stream::open(&format!("{}/api/stream?list=name%3D{name}", system.page())).await;
            stream.next().await.context("a history")?;
            let seats = Arc::new(AtomicU64::new(0));
            shown.push(seats.clone());
            reading.spawn(async move {
                while let Some(told) = stream.next().await {
                    if let Some(booked) = told.data["items"][0]["booked_seats"].as_u64() {
                        seats.store(booked, Ordering::Relaxed);
                    }
                }
            });
        }
        Ok(Self { shown, _reading: reading })
    }

    fn slowest(&self) -> u64 {
        self.shown.iter().map(|seats| seats.load(Ordering::Relaxed)).min().unwrap_or_default()
    }
}
