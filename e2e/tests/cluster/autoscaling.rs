//! More pods under load, and fewer behind it: the autoscalers of `deploy/components/autoscaling`, with metrics-server.

use std::time::Duration;

use e2e::{
    eventually,
    kubectl::{json, kubectl},
};

use crate::{cluster::Cluster, trial::Trial};

const AUTOSCALERS: &str = "deploy/components/autoscaling/autoscalers.yaml";

/// How many pods the autoscaler wants.
fn wanted() -> u64 {
    json(&["get", "hpa", "bookingservice"])["status"]["desiredReplicas"].as_u64().unwrap_or(0)
}

pub(crate) async fn pods_follow_the_load(cluster: &Cluster) {
    kubectl(&["apply", "--filename", AUTOSCALERS]);
    // It would wait five minutes before it takes a pod away; not sooner than `verify` has asked all pods, behind the load. And a busy
    // machine has no fifth of a core for each pod: less is enough here.
    let for_a_test = r#"{"spec": {
        "behavior": {"scaleDown": {"stabilizationWindowSeconds": 45, "policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}]}},
        "metrics": [{"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 60}}}]}}"#;
    kubectl(&["patch", "hpa", "bookingservice", "--patch", for_a_test]);
    let measured = async || {
        let status = &json(&["get", "hpa", "bookingservice"])["status"];
        (!status["currentMetrics"].is_null() && status["desiredReplicas"] == 2).then_some(())
    };
    eventually(Duration::from_secs(120), "the autoscaler has a figure, and wants two pods at rest", measured).await;

    let trial = Trial::as_fast_as_it_can("autoscaling", 60).await;
    eventually(Duration::from_secs(55), "more pods under load", async || (wanted() > 2).then_some(())).await;
    println!("      the autoscaler wants {} pods", wanted());
    let report = trial.end().await;
    println!("      {} requests, failed: {:?}", report.requests, report.failed);
    eventually(Duration::from_secs(150), "two pods again", async || (wanted() == 2).then_some(())).await;
    kubectl(&["delete", "--filename", AUTOSCALERS]);
    cluster.settled(Duration::from_secs(90)).await;
    cluster.step("the autoscaler adds pods under load and takes them away again, verify is clean");
}
