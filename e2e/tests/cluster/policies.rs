//! Network policies, enforced: a stranger reaches what is open to everybody and nothing else, and all that must talk talks.

use std::time::Duration;

use e2e::{
    eventually,
    kubectl::{Forward, NAMESPACE, kubectl, try_kubectl, with_input},
    page::says_that_all_are_ready,
};
use serde_json::{Value, json};

use crate::{
    cluster::{Cluster, SERVICES, STRANGER},
    faults::enough,
    trial::Trial,
    watched::{self, Watch},
};

const POLICIES: &str = ".ci/kubernetes/network-policies";

/// Who it tries to reach, and whether everybody may. By Service, and by the pods' own names where there are such.
const DOORS: [(&str, u16, bool); 13] = [
    ("events.myevents", 8181, true),
    ("bookings.myevents", 8181, true),
    ("events-ops.myevents", 9100, false),
    ("bookings-ops.myevents", 9100, false),
    ("mongo.myevents", 27017, false),
    ("mongodb-0.mongo-nodes.myevents", 27017, false),
    ("rabbitmq.myevents", 5672, false),
    ("rabbitmq-0.rabbitmq-nodes.myevents", 25672, false),
    ("alertmanager.myevents", 9093, false),
    ("bridge.myevents", 8060, false),
    ("mailpit.myevents", 1025, false),
    ("inbox.myevents", 8026, false),
    ("page.myevents", 8383, false),
];

pub(crate) async fn only_those_talk_who_must(cluster: &Cluster) {
    start_stranger().await;
    for (host, port, _) in DOORS {
        assert!(reaches(STRANGER, STRANGER, host, port), "without policies everybody reaches {host}:{port}");
    }
    cluster.step("without policies a stranger reaches all of it");

    kubectl(&["apply", "--kustomize", POLICIES]);
    let closed =
        async || DOORS.iter().all(|(host, port, open)| reaches(STRANGER, STRANGER, host, *port) == *open).then_some(());
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
    let page = Forward::to("svc/page", 8383);
    says_that_all_are_ready(&page.api, 2, 2).await;
    page.api.get("/api/events?limit=1").await.expect(200);
    enough(&Trial::start("policies", 20).await.end().await, "with the policies on");
    start(NAMESPACE, "init", &json!({"app.kubernetes.io/name": "mongodb-init"})).await;
    let joins = async || reaches(NAMESPACE, "init", "mongo", 27017).then_some(());
    eventually(Duration::from_secs(15), "the Job that joins the members reaches them", joins).await;
    assert!(!reaches(NAMESPACE, "init", "rabbitmq", 5672), "and nobody else");
    kubectl(&["delete", "pod", "init"]);
    cluster
        .step("services, stores, Prometheus, the page, an operator's pod and MongoDB's Job talk with the policies on");
    kubectl(&["delete", "--kustomize", POLICIES]);
    kubectl(&["delete", "namespace", STRANGER, "--wait=false"]);
}

/// In a namespace of its own, whose pods may call whomever they like.
async fn start_stranger() {
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": STRANGER}});
    with_input(&["apply", "--filename", "-"], &namespace.to_string());
    start(STRANGER, STRANGER, &json!({})).await;
}

/// A pod with a shell, and with these labels.
async fn start(namespace: &str, name: &str, labels: &Value) {
    let image = std::env::var("KUBERNETES_TEST_BUSYBOX").unwrap_or_else(|_| "busybox:1.36".to_owned());
    let pod = json!({
        "apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": namespace, "labels": labels},
        "spec": {
            "terminationGracePeriodSeconds": 0, "automountServiceAccountToken": false,
            "securityContext": {"runAsNonRoot": true, "runAsUser": 65532, "seccompProfile": {"type": "RuntimeDefault"}},
            "containers": [{
                "name": name, "image": image, "command": ["sleep", "3600"],
                "securityContext": {"allowPrivilegeEscalation": false, "capabilities": {"drop": ["ALL"]}},
            }],
        },
    });
    with_input(&["--namespace", namespace, "apply", "--filename", "-"], &pod.to_string());
    let runs = async || try_kubectl(&["--namespace", namespace, "exec", name, "--", "true"]).0.then_some(());
    eventually(Duration::from_secs(60), "the pod runs", runs).await;
}

/// Whether a connection is made. What is refused and what is swallowed are the same here; anything else is no answer.
fn reaches(namespace: &str, pod: &str, host: &str, port: u16) -> bool {
    let connect = format!("timeout 3 nc -w 2 {host} {port} </dev/null");
    let (well, said) = try_kubectl(&["--namespace", namespace, "exec", pod, "--", "sh", "-c", &connect]);
    let no_answer = ["refused", "timed out", "terminated with exit code 143", "exit code 1"];
    assert!(well || no_answer.iter().any(|text| said.contains(text)), "{host}:{port}: {said}");
    well
}
