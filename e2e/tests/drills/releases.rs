//! Quiet: what somebody does on purpose, in order, is no reason to notify anybody.

use std::time::Duration;

use e2e::eventually;

use crate::{
    drill::Drill,
    process::{answers, port},
    replica::Replica,
    replicated::Replicated,
    traffic::Traffic,
    watch::Watch,
};

/// Requests a second.
const RATE: u32 = 20;

const SERVICES: [&str; 2] = ["eventservice", "bookingservice"];

const UP: &str = "up{job=~\".*service\"} == 1";

/// For Prometheus to find somebody, on a busy machine.
const SEEN: Duration = Duration::from_secs(30);

/// Minutes. Longer than whatever could follow waits: the second alert of each objective does so for 15, and restarts are counted for as
/// long.
const WATCHED: u64 = 16;

/// Two of each service, under a load that books, too. All targets there are.
async fn start() -> Option<(Replicated, Watch, Traffic, usize)> {
    let mut system = Replicated::start(2, &[]).await?;
    let watch = Watch::start().await?;
    let targets = system.found_by(&watch);
    let traffic = Traffic::start(&system.events, &system.bookings, RATE, 20);
    traffic.is_seen(&watch).await;
    Some((system, watch, traffic, targets))
}

/// Waits until Prometheus sees so many.
async fn sees(watch: &Watch, count: usize, query: &str) {
    eventually(SEEN, &format!("{count} of {query}"), async || {
        (watch.ask.query(query).await.len() == count).then_some(())
    })
    .await;
}

fn ends(replica: &mut Replica) {
    assert_eq!(replica.stop().code(), Some(0), "it ends in order");
}

/// So many instances of each service have served.
async fn served(watch: &Watch, instances: usize) {
    for job in SERVICES {
        let served = format!("sum by (instance) (max_over_time(myevents_request_total{{job=\"{job}\"}}[1h])) > 0");
        sees(watch, instances, &served).await;
    }
}

#[tokio::test]
async fn a_new_release_replaces_one_replica_after_the_other() {
    let Some((mut system, watch, _traffic, targets)) = start().await else { return };
    let drill = Drill::begin("a rolling restart of two replicas of each service", watch, targets, &[]).await;
    let mut count = 0;
    for service in SERVICES {
        for replica in system.of(service) {
            ends(replica);
            replica.start_again();
            answers(&replica.ops, "/readyz").await;
            count += 1;
            sees(&drill.watch, count, "changes(process_start_time_seconds{job=~\".*service\"}[1h]) == 1").await;
        }
    }
    served(&drill.watch, 2).await;
    drill.stays_quiet_after("each of four processes started again", WATCHED).await;
}

#[tokio::test]
async fn one_of_two_replicas_is_not_needed_for_a_while() {
    let Some((mut system, watch, traffic, targets)) = start().await else { return };
    let drill = Drill::begin("scale 2 to 1 and back", watch, targets, &[]).await;
    // The names go first. Prometheus looks for others every 5 s, however short its other times are.
    let spare = SERVICES.map(|service| system.of(service).pop().unwrap());
    system.found_by(&drill.watch);
    sees(&drill.watch, 2, UP).await;
    let mut spare = spare.map(|mut replica| {
        ends(&mut replica);
        replica
    });
    tokio::time::sleep(drill.watch.factor.time(Duration::from_secs(60 * WATCHED))).await; // it waits for nothing to happen
    sees(&drill.watch, 2, UP).await;

    // As with pods, their address is the same, and their metrics are those of new instances.
    for replica in &mut spare {
        replica.plan.ports.1 = port();
        replica.start_again();
        answers(&replica.ops, "/readyz").await;
    }
    for (service, replica) in SERVICES.into_iter().zip(spare) {
        system.of(service).push(replica);
    }
    system.found_by(&drill.watch);
    sees(&drill.watch, 4, UP).await;
    drop(traffic); // its connections stay with the replicas that it has found
    let traffic = Traffic::start(&system.events, &system.bookings, RATE, 20);
    traffic.is_seen(&drill.watch).await;
    served(&drill.watch, 3).await;
    drill.stays_quiet_after("two targets, then four again", WATCHED).await;
}
