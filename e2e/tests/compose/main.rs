//! The whole system under Docker Compose, as somebody with a fresh clone has it: started, looked at through its published ports,
//! loaded, scaled, killed piece by piece, and taken away. `.ci/compose-test` runs it, in about seven minutes.
//!
//! - [`stack`]: a clone of this repository, and `docker compose` in it
//! - [`panels`], [`constants`]: every query of every dashboard, under load and at idle
//! - [`contract`]: every query of the repository at idle; [`missing`] is what has no series
//! - [`containers`]: rights, sizes, memory
//! - [`sums`]: what a period's sums are, with a restart and a kill in it
//! - [`kills`]: each container killed under load, and `myevents verify` afterwards
//!
//! The two tests run one after the other (`--test-threads=1`), since both publish the same ports.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod constants;
mod containers;
mod contract;
mod kills;
mod missing;
mod panels;
mod stack;
mod sums;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::fs::PermissionsExt,
    time::{Duration, Instant},
};

use e2e::{
    answer::text,
    dashboard::{all, exporters},
    eventually,
    page::says_that_all_are_ready,
    prometheus::Prometheus,
};
use serde_json::json;

use crate::stack::Stack;

/// From `up` until every panel shows something.
const FIRST_MINUTE: Duration = Duration::from_secs(60);

/// Until there was some of everything, refusals and cancellations, too, in what `$__range` looks back.
const UNDER_LOAD: Duration = Duration::from_secs(45);

/// Longer than what `$__rate_interval` looks back, plus a scrape.
const UNTIL_IDLE: Duration = Duration::from_secs(80);

#[tokio::test]
async fn the_system_comes_up_is_watched_survives_and_leaves_nothing() {
    let stack = Stack::clone_here(&[]);
    stack.build();
    let up = Instant::now();
    stack.up(&["--build"]);

    let prometheus = Prometheus(stack.api("prometheus", 9090));
    a_booking_is_seen_everywhere(&stack, &prometheus).await;
    panels::all_show_something(&prometheus, up + FIRST_MINUTE).await;
    stack.step("every selector of every panel has a series, every expression a value");
    all_targets_are_up(&prometheus, 1, &[]).await;
    if stack.has("grafana") {
        grafana_shows_the_overview_to_anyone(&stack).await;
    }
    containers::have_no_rights(&stack);
    containers::sizes(&stack);
    containers::memory(&stack, "under load");
    stack.up_with_exporters(&[]);
    contract::prepare(&stack, &prometheus).await;
    tokio::time::sleep(UNDER_LOAD).await;
    let loaded = panels::values(&prometheus).await;

    a_changed_configuration_is_read_while_it_runs(&stack).await;

    stack.up(&["--scale", "load=0"]);
    tokio::time::sleep(UNTIL_IDLE).await;
    let idle = panels::values(&prometheus).await;
    panels::none_is_nan_or_infinite(&idle);
    panels::differ_or_are_listed(&loaded, &idle);
    stack.step("at idle nothing is NaN or infinite, and what does not change is on the list");
    panels::bookings_are_shown_to_the_last_one(&prometheus, &stack.api("bookingservice", 9100)).await;
    stack.step("Bookings shows what the booking service has counted, to the last one");
    containers::memory(&stack, "idle");
    contract::holds(&prometheus).await;
    stack.step("every selector of every query has a series at idle, or is listed, and nothing is divided by zero");

    sums::are_what_the_service_counted(&stack, &prometheus).await;
    let exporters = stack.up_with_exporters(&["--scale", "bookingservice=2"]);
    all_targets_are_up(&prometheus, 2, &exporters).await;
    no_counter_went_down(&stack, &prometheus).await;
    stack.step("two booking services are two targets, and no counter went down");
    let page = stack.api("page", 8383);
    says_that_all_are_ready(&page, 1, 2).await;
    page.get("/api/events?limit=1").await.expect(200);
    stack.step("the page asks both of them");

    stack.up(&["--scale", "bookingservice=1"]);
    let mut killed = vec!["eventservice", "bookingservice", "rabbitmq"];
    let stand_in = stack.compose(&["config", "--images"]).contains("offline/mongo");
    if !stand_in {
        killed.push("mongo");
    }
    kills::each_under_load(&stack, &killed).await;
    if stand_in {
        println!(
            "not shown with the MongoDB stand-in, which keeps nothing: that the data survives a kill of mongo itself"
        );
        stack.compose(&["kill", "mongo"]);
        stack.up(&["--scale", "load=0"]);
        a_booking_is_seen_everywhere(&stack, &prometheus).await;
        stack.step("mongo was killed, came back empty, and is written to again");
    }
    stack.down();
}

#[tokio::test]
async fn on_sqlite_every_container_may_be_killed() {
    let stack = Stack::clone_here(&["docker-compose.sqlite.yml"]);
    stack.up(&["--build"]);
    kills::each_under_load(&stack, &["eventservice", "bookingservice", "rabbitmq", "prometheus", "load"]).await;
    stack.compose(&["down"]);
    stack.up(&[]); // new containers on the old volumes: none may leave a nameless one behind
    stack.down();
}

async fn a_booking_is_seen_everywhere(stack: &Stack, prometheus: &Prometheus) {
    let (events, bookings) = (stack.api("eventservice", 8181), stack.api("bookingservice", 8181));
    let (events_ops, bookings_ops) = (stack.api("eventservice", 9100), stack.api("bookingservice", 9100));
    let name = e2e::samples::unique("First night");
    let event = events.post("/events", &e2e::samples::event(&name, 10)).await.expect(201).id();

    let wait = Duration::from_secs(20);
    let path = format!("/events/{event}/bookings");
    let booked = async || Some(bookings.post(&path, &json!({"seats": 2})).await).filter(|answer| answer.status == 201);
    eventually(wait, "the new event can be booked", booked).await;
    let seen = async || {
        let shown = events.get(&format!("/events/{event}")).await.expect(200).json();
        (shown["booked_seats"] == 2).then_some(())
    };
    eventually(wait, "the event service learns of the booking", seen).await;
    let labels = [("eventName", name.as_str())];
    let counted = bookings_ops.metrics().await.sum("myevents_bookings_count", &labels);
    assert!((counted - 2.0).abs() < 0.1, "{counted}");
    let applied = [("queue", "eventservice"), ("result", "acked")];
    assert!(events_ops.metrics().await.sum("myevents_messages_consumed_total", &applied) > 0.5);

    let query = format!("sum(myevents_bookings_count{{eventName=\"{name}\"}}) by (eventName)");
    let shown = async || prometheus.query(&query).await.into_iter().find(|one| one.value > 1.5);
    eventually(Duration::from_secs(45), "Prometheus has the booking", shown).await;
    stack.step("a booking is seen at both services, in both /metrics, and in Prometheus");
}

/// Every target of every job, so many booking services among them, and those exporters.
async fn all_targets_are_up(prometheus: &Prometheus, booking_services: usize, exporters: &[&'static str]) {
    let always =
        ["alertmanager", "bookingservice", "bridge", "eventservice", "prometheus", "rabbitmq", "rabbitmq-detailed"];
    let right: BTreeSet<_> = always.iter().chain(exporters).copied().collect();
    let up = async || {
        let found = prometheus.query("up").await;
        let services = found.iter().filter(|one| one.labels["job"] == "bookingservice").count();
        let jobs: BTreeSet<_> = found.iter().map(|one| one.labels["job"].as_str()).collect();
        (found.iter().all(|one| one.value > 0.5) && services == booking_services && jobs == right).then_some(())
    };
    eventually(Duration::from_secs(90), &format!("all targets are up: {right:?}"), up).await;
}

async fn no_counter_went_down(stack: &Stack, prometheus: &Prometheus) {
    tokio::time::sleep(Duration::from_secs(35)).await;
    let metrics = stack.api("bookingservice", 9100).metrics().await;
    let down = prometheus.went_down(&metrics, "bookingservice", "1m").await;
    assert!(down.is_empty(), "{down:?}");
}

/// As an editor saves it: a new file under the old name.
async fn a_changed_configuration_is_read_while_it_runs(stack: &Stack) {
    let (file, new) = (stack.clone_folder().join("prometheus/prometheus.yml"), stack.clone_folder().join("new"));
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&new, text.replace("monitor: myevents", "monitor: changed")).unwrap();
    fs::set_permissions(&new, fs::Permissions::from_mode(0o644)).unwrap();
    fs::rename(new, file).unwrap();
    let prometheus = stack.api("prometheus", 9090);
    prometheus.post("/-/reload", &json!({})).await.expect(200);
    let config = prometheus.get("/api/v1/status/config").await.expect(200).text();
    assert!(config.contains("monitor: changed"), "{config}");
    stack.step("Prometheus reads a changed file");
}

async fn grafana_shows_the_overview_to_anyone(stack: &Stack) {
    let grafana = stack.api("grafana", 3000);
    let home = grafana.get("/api/dashboards/home").await.expect(200).json();
    assert_eq!(text(&home["dashboard"], "title"), "MyEvents: overview");
    for dashboard in all().iter().chain(&exporters()) {
        let uid = text(&dashboard.json, "uid");
        grafana.get(&format!("/api/dashboards/uid/{uid}")).await.expect(200);
    }
    grafana.get("/api/folders/yours").await.expect(200);
}
