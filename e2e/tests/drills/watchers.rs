//! The monitoring itself fails: DingTalk refuses, Alertmanager or Prometheus is dead.

use std::time::Duration;

use crate::{
    drill::{Drill, Panel},
    shortened::USUAL,
    together::{TARGETS, Together},
    watch::{KEYWORD, Watch},
};

/// A robot answers 200 also where it refuses; the bridge gives Alertmanager the error that it meant, and the mail arrives all the same.
#[tokio::test]
async fn dingtalk_misses_the_keyword() {
    let Some(mut watch) = Watch::start().await else { return };
    let mut system = Together::start(&watch);
    watch.robot_wants("another word").await;
    // One process is both services: each is reported.
    let may = &["MyEventsTargetDown", "AlertmanagerNotificationsFailing"];
    let mut drill = Drill::begin("DingTalk misses its keyword", watch, TARGETS, may).await;
    let panel = Panel { dashboard: "overview", title: "Parts running", moved: |up| up < 2.0 };
    drill.moves(panel, async |_| system.kill()).await;
    drill.fires_by_mail("MyEventsJobDown").await;
    drill.fires_by_mail("MyEventsNotificationsFailing").await;
    drill.watch.robot_wants(KEYWORD).await;
    drill.arrives_late("MyEventsJobDown").await;
    system.start_again(&[]);
    drill.is_over("MyEventsJobDown").await;
    drill.is_over("MyEventsNotificationsFailing").await;
    drill.end().await;
}

/// So long the page of the inbox waits before it turns red (`MISSED` there).
const MISSED: Duration = Duration::from_secs(180);

#[tokio::test]
async fn alertmanager_is_dead() {
    let Some(watch) = Watch::start().await else { return };
    let _system = Together::start(&watch);
    // Nobody is notified of it, since what would notify is what failed. Prometheus and Grafana show it.
    let mut drill =
        Drill::begin("Alertmanager is dead", watch, TARGETS, &["MyEventsTargetDown", "AlertmanagerDown"]).await;
    let panel = Panel { dashboard: "meta", title: "Targets", moved: |up| up < 1.0 };
    drill.moves(panel, async |watch| watch.alertmanager.kill()).await;
    drill.switch_is_silent_for(USUAL.time(MISSED)).await;
    drill.watch.alertmanager.start_again();
    drill.switch_gets_heartbeats().await;
    drill.end().await;
}

#[tokio::test]
async fn prometheus_is_dead() {
    let Some(watch) = Watch::start().await else { return };
    let _system = Together::start(&watch);
    let mut drill = Drill::begin("Prometheus is dead", watch, TARGETS, &[]).await;
    drill.begins(async |watch| watch.prometheus.kill()).await;
    drill.switch_is_silent_for(USUAL.time(MISSED)).await;
    drill.watch.prometheus.start_again();
    drill.switch_gets_heartbeats().await;
    drill.end().await;
}
