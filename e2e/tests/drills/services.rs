//! A service is killed, both are, or one is not found any more.

use std::time::Duration;

use e2e::eventually;

use crate::{
    drill::{Drill, Panel},
    system::{System, TARGETS},
    watch::Watch,
};

#[tokio::test]
async fn a_service_is_killed() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let mut drill =
        Drill::begin("a service is killed", watch, TARGETS, &["MyEventsTargetDown", "MyEventsRelayNotOne"]).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 3.0 };
    drill.moves(panel, async |_| system.bookings.kill()).await;
    drill.fires("MyEventsJobDown").await;
    system.bookings.start_again();
    drill.is_over("MyEventsJobDown").await;
    drill.end().await;
}

/// One page each: nobody reads of the one and thinks that the other lives.
#[tokio::test]
async fn both_services_are_killed() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let may = &["MyEventsTargetDown", "MyEventsRelayNotOne"];
    let mut drill = Drill::begin("both services are killed", watch, TARGETS, may).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 2.0 };
    drill
        .moves(panel, async |_| {
            system.events.kill();
            system.bookings.kill();
        })
        .await;
    drill.fires("MyEventsJobDown").await;
    each_is_notified(&drill.watch, "firing").await;
    system.events.start_again();
    system.bookings.start_again();
    drill.is_over("MyEventsJobDown").await;
    each_is_notified(&drill.watch, "resolved").await;
    drill.end().await;
}

async fn each_is_notified(watch: &Watch, word: &str) {
    for service in ["eventservice", "bookingservice"] {
        let subject = format!("MyEventsJobDown {service}");
        eventually(Duration::from_secs(60), &format!("both deliver {word} {subject}"), async || {
            let mailed = watch.notifications.by_mail(word, &subject).await;
            let messaged = watch.notifications.by_dingtalk(word, &format!("MyEventsJobDown ({service})")).await;
            (mailed && messaged).then_some(())
        })
        .await;
    }
}

/// As when it is scaled to nothing: its name goes first, so there is no target that could be down. Prometheus takes that over within 5 s,
/// which cannot be shortened, and is longer than a service may be down here.
#[tokio::test]
async fn a_job_is_missing() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let mut drill = Drill::begin("a job is missing", watch, TARGETS, &[]).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 3.0 };
    drill
        .moves(panel, async |watch| {
            watch.targets("bookings", &[]);
            eventually(Duration::from_secs(20), "Prometheus does not find it", async || {
                watch.ask.query("up{job=\"bookingservice\"}").await.is_empty().then_some(())
            })
            .await;
            assert!(system.bookings.stop().success());
        })
        .await;
    drill.fires("MyEventsJobMissing").await;
    system.bookings.start_again();
    system.is_watched(&drill.watch);
    drill.is_over("MyEventsJobMissing").await;
    drill.end().await;
}
