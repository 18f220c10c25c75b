//! What happens to a cluster on an ordinary day, under load: releases, scaling, a node that is emptied; and on a bad one: pods that
//! are killed.

use std::time::Duration;

use e2e::{
    eventually,
    kubectl::{json, kubectl, try_kubectl},
};

use crate::{
    cluster::{Cluster, SERVICES, names, pods, pods_of},
    trial::{LoadReport, Trial},
    watched,
};

/// Around each fault so many seats are sold at least.
const SEATS: u64 = 1000;

pub(crate) fn enough(report: &LoadReport, what: &str) {
    println!("      {what}: {} requests, {} seats, failed: {:?}", report.requests, report.seats, report.failed);
    assert!(report.seats >= SEATS, "inconclusive: only {} seats were sold", report.seats);
}

/// For what is planned: not one request fails, and no connection is refused.
async fn without_a_failed_request(cluster: &Cluster, what: &str, trial: Trial) {
    let report = trial.end().await;
    enough(&report, what);
    assert!(report.failed.is_empty(), "{what}: {:?}", report.failed);
    cluster.step(&format!("{what}: no request failed, verify is clean"));
}

pub(crate) async fn releases_scaling_and_a_drain_lose_no_request(cluster: &Cluster) {
    // Only the trial changes seats, so that what it was answered can be held against what is there.
    kubectl(&["scale", "deployment", "load", "--replicas", "0"]);
    cluster.settled(Duration::from_secs(60)).await;

    let trial = Trial::start("release", 25).await;
    for service in SERVICES {
        kubectl(&["rollout", "restart", "deployment", service]);
    }
    cluster.settled(Duration::from_secs(90)).await;
    without_a_failed_request(cluster, "a release of both services", trial).await;

    for service in SERVICES {
        kubectl(&["scale", "deployment", service, "--replicas", "3"]);
    }
    cluster.settled(Duration::from_secs(60)).await;
    let trial = Trial::start("scaling", 20).await;
    for service in SERVICES {
        kubectl(&["scale", "deployment", service, "--replicas", "1"]);
    }
    let gone = async || SERVICES.iter().all(|service| all_pods_of(service) == 1).then_some(());
    eventually(Duration::from_secs(40), "two of three pods have ended", gone).await;
    without_a_failed_request(cluster, "scaling from 3 to 1", trial).await;
    for service in SERVICES {
        kubectl(&["scale", "deployment", service, "--replicas", "2"]);
    }
    cluster.settled(Duration::from_secs(60)).await;

    let trial = Trial::start("drain", 30).await;
    drain(cluster).await;
    without_a_failed_request(cluster, "a drain of the node", trial).await;
}

/// Also those that are about to end.
fn all_pods_of(service: &str) -> usize {
    let selector = format!("app.kubernetes.io/name={service}");
    json(&["get", "pods", "--selector", &selector])["items"].as_array().unwrap().len()
}

/// The node is emptied of both services: each loses one pod, and the second one is held by its budget, since the first cannot come
/// back anywhere. Then the node is free again.
async fn drain(cluster: &Cluster) {
    let node = kubectl(&["get", "nodes", "--output", "jsonpath={.items[0].metadata.name}"]);
    let before = names(&pods("myevents/tier=api"));
    // It goes on trying, and would for ever.
    let (drained, said) = try_kubectl(&["drain", &node, "--pod-selector", "myevents/tier=api", "--timeout", "15s"]);
    let evicted = before.difference(&names(&pods("myevents/tier=api"))).count();
    let held = said.contains("Cannot evict pod as it would violate the pod's disruption budget");
    kubectl(&["uncordon", &node]);
    assert!(!drained && held, "the budget holds the second pod of each: {said}");
    assert_eq!(evicted, SERVICES.len(), "one pod of each service was evicted: {said}");
    cluster.settled(Duration::from_secs(60)).await;
}

pub(crate) async fn kills_lose_no_booking(cluster: &Cluster) {
    for service in SERVICES {
        let trial = Trial::start(&format!("kill-{service}"), 12).await;
        let victim = &pods_of(service)[0].name;
        kubectl(&["delete", "pod", victim, "--grace-period=0", "--force"]);
        cluster.settled(Duration::from_secs(60)).await;
        enough(&trial.end().await, &format!("a pod of the {service} killed"));
        cluster.step(&format!("a pod of the {service} was killed: verify is clean"));
    }

    let trial = Trial::start("broker", 28).await;
    cluster.kill_and_see_another("rabbitmq-0", Duration::from_secs(90)).await;
    enough(&trial.end().await, "the broker's pod deleted");
    cluster.step("the broker's pod was deleted: verify is clean");
}

/// As the README has it: a Job that anybody may start.
pub(crate) fn anybody_can_verify(cluster: &Cluster) {
    let job = kubectl(&["create", "--filename", "deploy/jobs/verify.yaml", "--output", "name"]);
    let (well, said) = try_kubectl(&["wait", "--for=condition=Complete", job.trim(), "--timeout=90s"]);
    let log = try_kubectl(&["logs", job.trim()]).1;
    assert!(well && log.contains("All is well"), "{said}{log}");
    cluster.step("the Job of the README verifies the whole system");
}

/// Last, since the stand-in of MongoDB keeps nothing: what was there before is gone.
pub(crate) async fn the_database_is_written_to_again(cluster: &Cluster) {
    cluster.kill_and_see_another("mongodb-0", Duration::from_secs(90)).await;
    watched::a_booking_is_seen_everywhere(cluster).await;
    cluster.step("the database's pod was deleted, and is written to again");
}
