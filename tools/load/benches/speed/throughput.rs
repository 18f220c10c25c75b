//! Bookings a second over HTTP, relay and view running, beside a bare server and the bare store, all in short turns.

use std::time::Duration;

use crate::{
    echo::{BODY, Echo},
    median, now, one_request,
    store::Bare,
    system::System,
    table::{Goal, Table},
};

const TURNS: usize = 3;
const TURN: Duration = Duration::from_millis(1500);
const CONNECTIONS: [u32; 4] = [1, 16, 64, 256];
const EVENTS: u32 = 20;

#[derive(Default)]
struct Of {
    per_second: Vec<f64>,
    p50: Vec<f64>,
    p99: Vec<f64>,
}

pub(crate) async fn measure(system: &System, table: &mut Table) -> anyhow::Result<()> {
    let (echo, bare) = (Echo::start()?, Bare::open().await?);
    let (mut echoes, mut stored, mut left) = (Vec::new(), Vec::new(), Vec::new());
    let mut booked: [Of; 4] = Default::default();
    system.book(64, EVENTS, TURN).await?; // the first turn of a new file is not like the others
    for turn in 1..=TURNS {
        now(&format!("throughput, turn {turn} of {TURNS}"));
        echoes.push(one_request::send(&echo.target, "/", Some(BODY), 256, TURN).await?.per_second);
        stored.push(bare.book(TURN).await?);
        for (connections, of) in CONNECTIONS.into_iter().zip(&mut booked) {
            let report = system.book(connections, EVENTS, TURN).await?;
            let waiting = system.metric("myevents_outbox_pending_messages ").await?;
            left.push(waiting / report.requests_per_second);
            of.per_second.push(report.requests_per_second);
            of.p50.push(report.kinds[0].p50_ms);
            of.p99.push(report.kinds[0].p99_ms);
        }
    }
    let (echoed, stored) = (median(&echoes), median(&stored));
    table.add("bare actix, POST echo of the same JSON, 256 connections", echoed, "/s", None);
    table.add("bare store, 256 callers", stored, "/s", None);
    for (connections, of) in CONNECTIONS.into_iter().zip(&booked) {
        let plural = if connections == 1 { "" } else { "s" };
        table.add(format!("bookings over HTTP, {connections} connection{plural}"), median(&of.per_second), "/s", None);
        table.add("… p50", median(&of.p50), "ms", None);
        table.add("… p99", median(&of.p99), "ms", None);
    }
    let ratio = median(&booked[3].per_second) / echoed.min(stored);
    table.add("bookings at 256 to the lower of the two bare ones", ratio, "", Some(Goal::AtLeast(0.5)));
    let worst = left.into_iter().fold(0.0, f64::max);
    table.add("outbox at the end, as seconds of such work, at worst", worst, "s", Some(Goal::Below(1.0)));
    Ok(())
}
