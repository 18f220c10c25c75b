//! The running system in its namespace: applied, waited for, and what is there.

use std::{
    cell::Cell,
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use e2e::{
    dashboard::list,
    eventually,
    kubectl::{NAMESPACE, json, kubectl, try_kubectl},
};
use serde_json::Value;

/// Both services; a label of their pods.
pub(crate) const SERVICES: [&str; 2] = ["eventservice", "bookingservice"];

/// A namespace that has nothing to do with the system.
pub(crate) const STRANGER: &str = "myevents-stranger";

/// The system; dropping it takes the namespace away.
pub(crate) struct Cluster {
    last_step: Cell<Instant>,
    ended: Cell<bool>,
}

/// A pod that is not about to end.
#[derive(Debug)]
pub(crate) struct Pod {
    pub(crate) name: String,
    pub(crate) labels: BTreeMap<String, String>,
    pub(crate) annotations: BTreeMap<String, String>,
    pub(crate) ready: bool,
}

impl Cluster {
    /// Refuses a cluster where somebody has the system already: at the end it would be taken away.
    pub(crate) fn start(overlay: &str) -> Self {
        for namespace in [NAMESPACE, STRANGER] {
            let there = kubectl(&["get", "namespace", namespace, "--ignore-not-found", "--output", "name"]);
            assert!(there.is_empty(), "the cluster has a {there} already: this test would take it away");
        }
        let cluster = Self { last_step: Cell::new(Instant::now()), ended: Cell::new(false) };
        kubectl(&["apply", "--kustomize", overlay]);
        cluster
    }

    /// Waits until each Deployment and StatefulSet has the pods that it should have, all ready.
    pub(crate) async fn settled(&self, timeout: Duration) {
        let began = Instant::now();
        while !unsettled().is_empty() {
            assert!(began.elapsed() < timeout, "not settled within {timeout:?}: {:?}", unsettled());
            tokio::time::sleep(Duration::from_millis(300)).await;
        }
    }

    /// Kills the pod of a StatefulSet. Another one with its name is ready afterwards, and so is all else.
    pub(crate) async fn kill_and_see_another(&self, name: &str, timeout: Duration) {
        let uid = || try_kubectl(&["get", "pod", name, "--output", "jsonpath={.metadata.uid}"]);
        let (_, killed) = uid();
        kubectl(&["delete", "pod", name, "--grace-period=0", "--force"]);
        // Until then the status of the old one counts, as if nothing had happened.
        let another = async || Some(uid()).filter(|(found, new)| *found && *new != killed);
        eventually(timeout, "there is another pod", another).await;
        self.settled(timeout).await;
    }

    /// Takes all away, and sees that it is.
    pub(crate) fn end(&self) {
        kubectl(&["delete", "namespace", NAMESPACE, "--timeout=180s"]);
        self.ended.set(true);
        self.step("the namespace is gone");
    }

    /// Says what was reached, and how long it took.
    pub(crate) fn step(&self, what: &str) {
        let took: Duration = self.last_step.replace(Instant::now()).elapsed();
        println!("{:5.1} s  {what}", took.as_secs_f64());
    }

    /// What a person would look at first.
    pub(crate) fn print_pods(&self) {
        println!("{}", try_kubectl(&["get", "pods", "--output", "wide"]).1);
        println!("{}", try_kubectl(&["get", "events", "--sort-by=.lastTimestamp"]).1);
        for name in pods("").iter().filter(|pod| !pod.ready).map(|pod| &pod.name) {
            println!("{}", try_kubectl(&["logs", "--all-containers", "--tail", "25", name]).1);
        }
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        if !self.ended.get() && std::env::var_os("KUBERNETES_TEST_KEEP").is_none() {
            self.print_pods();
            try_kubectl(&["delete", "namespace", NAMESPACE, STRANGER, "--ignore-not-found", "--timeout=180s"]);
        }
    }
}

/// Deployments and StatefulSets that have not as many ready pods of their newest form as they should have.
fn unsettled() -> Vec<String> {
    let found = json(&["get", "deployments,statefulsets"]);
    let settled = |one: &Value| {
        let (spec, status) = (&one["spec"], &one["status"]);
        let wanted = spec["replicas"].as_u64().unwrap_or(1);
        let is = |field: &str| status[field].as_u64().unwrap_or(0);
        is("observedGeneration") >= one["metadata"]["generation"].as_u64().unwrap_or(0)
            && is("replicas") == wanted
            && is("readyReplicas") == wanted
            && (is("updatedReplicas") == wanted)
    };
    list(&found["items"]).filter(|one| !settled(one)).map(|one| one["metadata"]["name"].to_string()).collect()
}

/// The pods with this label (`app.kubernetes.io/name=…`, or all), without those that end.
pub(crate) fn pods(selector: &str) -> Vec<Pod> {
    let found = json(&["get", "pods", "--selector", selector]);
    let lives = |pod: &&Value| {
        pod["metadata"]["deletionTimestamp"].is_null()
            && !["Succeeded", "Failed"].contains(&pod["status"]["phase"].as_str().unwrap_or_default())
    };
    list(&found["items"]).filter(lives).map(Pod::read).collect()
}

/// The pods of one of ours, or of a store.
pub(crate) fn pods_of(name: &str) -> Vec<Pod> {
    pods(&format!("app.kubernetes.io/name={name}"))
}

/// Their names.
pub(crate) fn names(pods: &[Pod]) -> BTreeSet<String> {
    pods.iter().map(|pod| pod.name.clone()).collect()
}

impl Pod {
    fn read(pod: &Value) -> Self {
        let texts = |value: &Value| serde_json::from_value(value.clone()).unwrap_or_default();
        let ready = |one: &Value| one["type"] == "Ready" && one["status"] == "True";
        Self {
            name: pod["metadata"]["name"].as_str().unwrap().to_owned(),
            labels: texts(&pod["metadata"]["labels"]),
            annotations: texts(&pod["metadata"]["annotations"]),
            ready: list(&pod["status"]["conditions"]).any(ready),
        }
    }
}
