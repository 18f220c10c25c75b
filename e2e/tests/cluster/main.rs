//! The whole system on a real Kubernetes cluster: started, watched, scaled, drained, killed piece by piece, and taken away.
//! `.ci/kubernetes-test` runs it, on a cluster of its own; `../kubernetes` looks at the files.
//!
//! - [`cluster`]: the running system, and its pods
//! - [`watched`]: what the Prometheus in the cluster sees
//! - [`alerts`]: what its rules make of that, and who is notified
//! - [`trial`]: a load in the cluster while something happens, and `myevents verify` behind it
//! - [`faults`]: what happens meanwhile
//! - [`autoscaling`], [`policies`], [`production`]: what only some clusters can do
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod alerts;
mod autoscaling;
mod cluster;
mod faults;
mod policies;
mod production;
mod trial;
mod watched;

use std::time::{Duration, Instant};

use e2e::not_run;

use crate::cluster::Cluster;

/// From `kubectl apply` until all pods are ready, the images being there.
const READY: Duration = Duration::from_secs(90);

#[tokio::test]
async fn a_the_whole_system_runs_on_a_cluster_and_survives() {
    let began = Instant::now();
    let overlay = std::env::var("KUBERNETES_TEST_OVERLAY").unwrap_or_else(|_| "deploy/overlays/minikube".to_owned());
    let cluster = Cluster::start(&overlay);
    cluster.settled(READY).await;
    println!("      all pods are ready after {:.1} s", began.elapsed().as_secs_f64());
    cluster.step("applied");

    watched::a_booking_is_seen_everywhere(&cluster).await;
    watched::each_pod_is_one_target(&cluster).await;
    watched::every_form_of_a_metric_arrives(&cluster).await;
    watched::every_selector_has_a_series(&cluster).await;
    watched::targets_follow_the_pods(&cluster).await;
    alerts::every_rule_is_loaded(&cluster).await;
    // Before its pod is replaced: what was up then, and is gone when it comes back, counts as up for five minutes.
    alerts::one_arrives(&cluster).await;
    watched::what_was_collected_survives_its_pod(&cluster).await;

    faults::releases_scaling_and_a_drain_lose_no_request(&cluster).await;
    faults::kills_lose_no_booking(&cluster).await;
    faults::anybody_can_verify(&cluster);
    autoscaling::pods_follow_the_load(&cluster).await;
    policies::only_those_talk_who_must(&cluster).await;
    alerts::its_end_arrives(&cluster).await;
    faults::the_database_is_written_to_again(&cluster).await;
    cluster.end();
}

#[tokio::test]
async fn b_the_production_overlay_has_a_broker_of_three() {
    let Ok(overlay) = std::env::var("KUBERNETES_TEST_PRODUCTION") else {
        return not_run(
            "the production overlay (its Secret and images are yours: name an overlay with them in KUBERNETES_TEST_PRODUCTION)",
        );
    };
    let cluster = Cluster::start(&overlay);
    cluster.settled(Duration::from_secs(120)).await;
    production::rabbitmq_is_a_cluster_of_three(&cluster).await;
    cluster.end();
}
