//! Network policies, enforced: a stranger reaches what is open to everybody and nothing else, and all that must talk talks.

use std::time::Duration;

use e2e::{
    eventually,
    kubectl::{kubectl, try_kubectl, with_input},
};
use serde_json::json;

use crate::{
    cluster::{Cluster, SERVICES},
    faults::enough,
    trial::Trial,
    watched::{self, Watch},
};

const POLICIES: &str = ".ci/kubernetes/network-policies";

/// A pod that has nothing to do with the system.
const STRANGER: &str = "stranger";

/// Who it tries to reach, and whether everybody may. By Service, and by the pods' own names where there are such.
const DOORS: [(&str, u16, bool); 8] = [
    ("events.myevents", 8181, true),
    ("bookings.myevents", 8181, true),
    ("events-ops.myevents", 9100, false),
    ("bookings-ops.myevents", 9100, false),
    ("mongo.myevents", 27017, false),
    ("mongodb-0.mongo-nodes.myevents", 27017, false),
    ("rabbitmq.myevents", 5672, false),
    ("rabbitmq-0.rabbitmq-nodes.myevents", 25672, false),
];

pub(crate) async fn only_those_talk_who_must(cluster: &Cluster) {
    start_stranger().await;
    for (host, port, _) in DOORS {
        assert!(reaches(host, port), "without policies everybody reaches {host}:{port}");
    }
    cluster.step("without policies a stranger reaches all of it");

    kubectl(&["apply", "--kustomize", POLICIES]);
    let closed = async || DOORS.iter().all(|(host, port, open)| reaches(host, *port) == *open).then_some(());
    eventually(Duration::from_secs(30), "the policies hold", closed).await;
    cluster.step("with them, only REST");

    // Connections that were open before may stay so: everybody makes new ones.
    for service in SERVICES {
        kubectl(&["rollout", "restart", "deployment", service]);
    }
    kubectl(&["delete", "pod", "prometheus-0"]);
    cluster.settled(Duration::from_secs(120)).await;
    watched::a_booking_is_seen_everywhere(cluster).await;
    watched::targets_are_right(&Watch::open(), Duration::from_secs(45)).await;
    enough(&Trial::start("policies", 20).await.end().await, "with the policies on");
    cluster.step("services, stores, Prometheus and an operator's pod talk with the policies on");
    kubectl(&["delete", "--kustomize", POLICIES]);
    kubectl(&["delete", "namespace", STRANGER, "--wait=false"]);
}

/// In a namespace of its own, whose pods may call whomever they like.
async fn start_stranger() {
    let image = std::env::var("KUBERNETES_TEST_BUSYBOX").unwrap_or_else(|_| "busybox:1.36".to_owned());
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STRANGER}});
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": STRANGER, "namespace": STRANGER},
        "spec": {
            "terminationGracePeriodSeconds": 0,
            "containers": [{"name": STRANGER, "image": image, "command": ["sleep", "3600"]}],
        },
    });
    let both = json!({"apiVersion": "v1", "kind": "List", "items": [namespace, pod]});
    with_input(&["--namespace", STRANGER, "apply", "--filename", "-"], &both.to_string());
    let runs = async || try_kubectl(&["--namespace", STRANGER, "exec", STRANGER, "--", "true"]).0.then_some(());
    eventually(Duration::from_secs(60), "the stranger runs", runs).await;
}

fn reaches(host: &str, port: u16) -> bool {
    let port = port.to_string();
    try_kubectl(&["--namespace", STRANGER, "exec", STRANGER, "--", "timeout", "2", "nc", "-z", host, &port]).0
}
