//! Messages that a service gives up on, for three causes. They stay until somebody mends the cause and redrives them.

use std::time::{Duration, Instant};

use e2e::{Api, SOON, eventually};
use serde_json::json;

use crate::{
    drill::{Drill, Panel},
    queue::{kill_readers, waiting},
    replica::Replica,
    system::{System, TARGETS, address, myevents},
    watch::Watch,
};

const ALERT: &str = "MyEventsDeadLetters";

const PANEL: Panel = Panel { dashboard: "messaging", title: "6. Given up", moved: |letters| letters > 0.0 };

/// So long nothing is over that was not redriven: several scrapes, and longer than a restart.
const STAYS: Duration = Duration::from_secs(15);

/// Prometheus has not forgotten it for a moment.
async fn stays(drill: &Drill) {
    let began = Instant::now();
    while began.elapsed() < STAYS {
        let fires = drill.watch.alerts().await.iter().any(|alert| alert.name == ALERT && alert.firing);
        assert!(fires, "it is over after {:?}, and nobody has redriven anything", began.elapsed());
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
    assert!(!drill.watch.notifications.by_dingtalk("resolved", ALERT).await, "DingTalk got a message that it is over");
}

/// `myevents dead redrive --all`
fn redrive(system: &System) {
    let ops = ["--events-ops-url", &system.events.urls.1, "--bookings-ops-url", &system.bookings.urls.1];
    let printed = myevents(&[&["dead", "redrive", "--all"][..], &ops].concat());
    assert!(printed.contains("to the queue again"), "{printed}");
}

/// Stops a service and starts it again, otherwise. Meanwhile nobody has its name.
async fn restarted(watch: &Watch, replica: &mut Replica, otherwise: impl FnOnce(&mut Replica)) {
    let name = if replica.plan.service == "eventservice" { "events" } else { "bookings" };
    watch.targets(name, &[]);
    replica.stop();
    otherwise(replica);
    replica.start_again();
    watch.targets(name, &[address(replica)]);
}

async fn sees(rest: &Api, event: &str, seats: u64) -> bool {
    let answer = rest.get(&format!("/events/{event}")).await;
    answer.status == 200 && answer.json()["booked_seats"] == seats
}

/// Its change of seats is missing in the view, and the ledger says so until it is redriven.
async fn of_seats(mut drill: Drill, mut system: System, event: &str, mend: impl FnOnce(&mut Replica)) {
    drill.fires(ALERT).await;
    drill.fires("MyEventsViewBehind").await;
    stays(&drill).await;
    restarted(&drill.watch, &mut system.events, mend).await;
    stays(&drill).await;
    assert!(!sees(&system.events.rest, event, 1).await);

    redrive(&system);
    eventually(SOON, "the view has the seat", async || sees(&system.events.rest, event, 1).await.then_some(())).await;
    drill.is_over(ALERT).await;
    drill.is_over("MyEventsViewBehind").await;
    drill.end().await;
}

#[tokio::test]
async fn a_service_on_a_wrong_database_knows_no_event() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("dead letters: a service on a wrong database", watch, TARGETS, &[]).await;
    let right = system.events.data();
    let aside = right.with_extension("aside");
    drill
        .moves(PANEL, async |watch| {
            restarted(watch, &mut system.events, |_| std::fs::rename(&right, &aside).unwrap()).await;
            system.book(&event).await;
        })
        .await;
    let mend = |_: &mut Replica| {
        std::fs::remove_dir_all(&right).unwrap();
        std::fs::rename(&aside, &right).unwrap();
    };
    of_seats(drill, system, &event, mend).await;
}

#[tokio::test]
async fn a_handler_panics() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let event = system.event().await;
    let mut drill = Drill::begin("dead letters: a handler panics", watch, TARGETS, &[]).await;
    drill
        .moves(PANEL, async |watch| {
            let breaks =
                |events: &mut Replica| events.plan.env.push(("FAIL_POINT", "listener.seats.received:panic".into()));
            restarted(watch, &mut system.events, breaks).await;
            system.book(&event).await;
        })
        .await;
    of_seats(drill, system, &event, |events| drop(events.plan.env.pop())).await;
}

#[tokio::test]
async fn a_message_kills_its_readers() {
    let Some(watch) = Watch::start().await else { return };
    let Some(mut system) = System::start(&watch).await else { return };
    let connection = system.broker.connect().await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut drill = Drill::begin("dead letters: a message kills its readers", watch, TARGETS, &[]).await;
    let mut event = String::new();
    drill
        .moves(PANEL, async |watch| {
            watch.targets("bookings", &[]);
            system.bookings.stop();
            event = system.events.rest.post("/events", &e2e::samples::unlimited("killer")).await.expect(201).id();
            let waits = async || (waiting(&channel, "bookingservice").await == 1).then_some(());
            eventually(SOON, "its message waits", waits).await;
            kill_readers(&channel, "bookingservice").await;
            system.bookings.start_again();
            watch.targets("bookings", &[address(&system.bookings)]);
        })
        .await;
    drill.fires(ALERT).await;
    stays(&drill).await;
    let unknown = system.bookings.rest.post(&format!("/events/{event}/bookings"), &json!({"seats": 1})).await;
    assert_eq!(unknown.status, 404, "nobody can book it");

    redrive(&system);
    drill.is_over(ALERT).await;
    system.book(&event).await;
    drill.end().await;
}
