//! What is no reason to wake anybody: each really happens, and nobody is notified.

use std::time::{Duration, Instant};

use e2e::{SOON, eventually, samples};
use futures_util::future::join_all;
use serde_json::json;

use crate::{
    drill::{Drill, Panel},
    process::answers,
    shortened::Factor,
    system::{System, TARGETS},
    watch::Watch,
};

/// RabbitMQ takes its seconds to start, here as everywhere, so a minute is 20 s here.
const SLOWER: Factor = Factor(3);

/// Longer than 5 minutes, which is the longest `for` of what follows from a broker or a service that is away.
const WATCHED: u64 = 6;

#[tokio::test]
async fn the_broker_is_away_for_a_minute() {
    let Some(watch) = Watch::shortened_by(SLOWER).await else { return };
    let Some(system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("the broker is away for a minute", watch, TARGETS, &[]).await;
    system.broker.remembers_its_queues();
    // Those that are late are a minute's of three hours. Of fewer, no alert would look at how late they are.
    for _ in 0..40 {
        join_all((0..10).map(|_| system.book(&event))).await;
    }
    system.shows(&event, 400).await;
    eventually(Duration::from_secs(60), "there are enough messages to look at", async || {
        let enough = "sum(job:myevents_message:increase1h) > 300";
        (!drill.watch.ask.query(&drill.watch.factor.expression(enough)).await.is_empty()).then_some(())
    })
    .await;
    let panel = Panel { dashboard: "messaging", title: "Session with the broker", moved: |session| session < 1.0 };
    let away = Instant::now();
    drill.moves(panel, async |_| system.broker.kill()).await;
    for _ in 0..2 {
        system.book(&event).await;
    }
    // It is started so early that the minute is over when it is there.
    tokio::time::sleep(SLOWER.time(Duration::from_secs(45)).saturating_sub(away.elapsed())).await;
    system.broker.start();
    system.broker.runs().await;
    let away = away.elapsed();
    // On a quiet machine it is there some seconds early.
    assert!(away >= SLOWER.time(Duration::from_secs(55)), "only {away:?}");
    system.shows(&event, 402).await;
    let late = "sum(increase(myevents_message_age_seconds_count[1h]) - ignoring(le) increase(myevents_message_age_seconds_bucket{le=\"2.5\"}[1h])) > 0";
    let late = drill.watch.factor.expression(late);
    eventually(SOON, "some were late", async || (!drill.watch.ask.query(&late).await.is_empty()).then_some(())).await;
    let pending = "count_over_time(ALERTS{alertname=\"MyEventsAmqpDisconnected\",alertstate=\"pending\"}[5m])";
    assert!(!drill.watch.ask.query(pending).await.is_empty(), "the rule has seen it");
    drill.stays_quiet(WATCHED).await;
}

/// It was sold out before: of an hour without any booking, `MyEventsNoBookings` could take it for a fault.
#[tokio::test]
async fn a_crowd_wants_what_is_sold_out() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::unwatched().await else { return };
    let event = system.events.rest.post("/events", &samples::event("sold out", 5)).await.expect(201).id();
    let path = format!("/events/{event}/bookings");
    eventually(SOON, "it is on sale", async || {
        (system.bookings.rest.post(&path, &json!({"seats": 5})).await.status == 201).then_some(())
    })
    .await;
    // What a process counted before its first scrape is known, too, since its counters say when they began. So another one goes on.
    assert!(system.bookings.stop().success());
    system.bookings.start_again();
    answers(&system.bookings.ops, "/readyz").await;
    system.is_watched(&watch);
    let mut drill = Drill::begin("a crowd wants what is sold out", watch, TARGETS, &[]).await;
    let panel =
        Panel { dashboard: "business", title: "Made, and turned away by reason", moved: |a_minute| a_minute > 100.0 };
    let seat = json!({"seats": 1});
    drill
        .moves(panel, async |_| {
            for _ in 0..50 {
                let wave = (0..10).map(|_| system.bookings.rest.post(&path, &seat));
                assert!(join_all(wave).await.iter().all(|answer| answer.status == 409));
                tokio::time::sleep(Duration::from_millis(100)).await; // so that several scrapes see it
            }
        })
        .await;
    let accepted = "sum(increase(myevents_bookings_accepted_total[4m]))";
    assert!(drill.watch.ask.query(accepted).await.iter().all(|one| one.value == 0.0), "a booking was made");
    drill.stays_quiet(16).await; // that alert waits for 15
}

/// All of it ends in order and comes back, as with `docker compose down` and `up`: the volumes stay.
#[tokio::test]
async fn down_and_up() {
    let Some(watch) = Watch::shortened_by(SLOWER).await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("down and up", watch, TARGETS, &[]).await;
    system.broker.remembers_its_queues();
    system.book(&event).await;
    system.shows(&event, 1).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 3.0 };
    drill
        .moves(panel, async |watch| {
            assert!(system.bookings.stop().success() && system.events.stop().success());
            system.broker.stop();
            watch.down();
            system.broker.start();
            watch.up().await;
        })
        .await;
    system.broker.runs().await;
    system.events.start_again();
    system.bookings.start_again();
    answers(&system.bookings.ops, "/readyz").await;
    system.is_watched(&drill.watch);
    system.book(&event).await;
    system.shows(&event, 2).await;
    eventually(Duration::from_secs(60), "all is found again", async || {
        let up = drill.watch.ask.query("count(up == 1)").await;
        up.first().is_some_and(|up| up.value as usize == TARGETS).then_some(())
    })
    .await;
    drill.stays_quiet(WATCHED).await;
}
