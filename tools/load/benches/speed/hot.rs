//! One event against a thousand: a hot event must not be slower.

use std::time::Duration;

use crate::{
    median, now,
    system::System,
    table::{Goal, Table},
};

const TURNS: usize = 3;
const TURN: Duration = Duration::from_millis(1500);

pub(crate) async fn measure(system: &System, table: &mut Table) -> anyhow::Result<()> {
    now("one event against 1,000");
    let (mut one, mut thousand) = (Vec::new(), Vec::new());
    for _ in 0..TURNS {
        one.push(system.book(256, 1, TURN).await?.requests_per_second);
        thousand.push(system.book(256, 1000, TURN).await?.requests_per_second);
    }
    let (one, thousand) = (median(&one), median(&thousand));
    table.add("bookings of one event, 256 connections", one, "/s", None);
    table.add("bookings of 1,000 events", thousand, "/s", None);
    table.add("one event to 1,000", one / thousand, "", Some(Goal::AtLeast(0.8)));
    Ok(())
}
