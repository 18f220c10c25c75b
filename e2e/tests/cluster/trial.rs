//! A pod that loads the system and then verifies it: its first container books and writes down every answer, its second one reads
//! that record once the first has ended. Meanwhile the test breaks something.

use std::time::{Duration, Instant};

use e2e::{
    dashboard::list,
    eventually,
    kubectl::{json as get, kubectl, try_kubectl, with_input},
};
use serde_json::{Value, json};

/// A trial under way; dropping it takes its pod away.
pub(crate) struct Trial {
    name: String,
    began: Instant,
    seconds: u32,
}

/// What the load was answered.
#[derive(Debug)]
pub(crate) struct LoadReport {
    pub(crate) seats: u64,
    pub(crate) requests: u64,
    /// Requests without an answer, connections that could not be made, answers that should not have been.
    pub(crate) failed: Vec<String>,
}

impl Trial {
    /// Starts it, and returns when the load is under way. It goes on for so many seconds.
    pub(crate) async fn start(name: &str, seconds: u32) -> Self {
        Self::start_with(name, seconds, &["--rate", "150"]).await
    }

    /// The same, with as many requests as are answered.
    pub(crate) async fn as_fast_as_it_can(name: &str, seconds: u32) -> Self {
        Self::start_with(name, seconds, &[]).await
    }

    async fn start_with(name: &str, seconds: u32, more: &[&str]) -> Self {
        let mut trial = Self { name: format!("trial-{name}"), began: Instant::now(), seconds };
        with_input(&["apply", "--filename", "-"], &pod(&trial.name, seconds, more).to_string());
        let runs = async || {
            let status = trial.init_status();
            assert!(status["terminated"].is_null(), "the load ended early: {}", trial.log("load"));
            (!status["running"].is_null()).then_some(())
        };
        eventually(Duration::from_secs(30), "the load runs", runs).await;
        tokio::time::sleep(Duration::from_secs(4)).await; // it makes its events, then there is load
        trial.began = Instant::now();
        trial
    }

    fn init_status(&self) -> Value {
        let pod = get(&["get", "pod", &self.name]);
        list(&pod["status"]["initContainerStatuses"]).next().map_or(Value::Null, |one| one["state"].clone())
    }

    fn log(&self, container: &str) -> String {
        try_kubectl(&["logs", &self.name, "--container", container]).1
    }

    /// What was to happen has happened: it must have done so under load. Waits for the end, for `verify` and its verdict.
    pub(crate) async fn end(self) -> LoadReport {
        println!("      it was over after {:.0} s of {} s of load", self.began.elapsed().as_secs_f64(), self.seconds);
        assert!(
            self.init_status()["terminated"].is_null(),
            "inconclusive: the load had ended before, after {:?}",
            self.began.elapsed()
        );
        let timeout = Duration::from_secs(u64::from(self.seconds) + 150);
        let ended = async || {
            let phase = kubectl(&["get", "pod", &self.name, "--output", "jsonpath={.status.phase}"]);
            (["Succeeded", "Failed"].contains(&phase.as_str())).then_some(phase)
        };
        let phase = eventually(timeout, "load and verify have ended", ended).await;
        let load = self.log("load");
        assert_eq!(phase, "Succeeded", "verify: {}\nload: {load}", self.log("verify"));
        let start = load.find('{').unwrap_or_else(|| panic!("no report: {load}"));
        let report = load[start..].trim_end();
        let report: Value = serde_json::from_str(report).unwrap_or_else(|cause| panic!("{cause}: {load}"));
        LoadReport::read(&report)
    }
}

impl Drop for Trial {
    fn drop(&mut self) {
        try_kubectl(&["delete", "pod", &self.name, "--now", "--wait=false"]);
    }
}

impl LoadReport {
    fn read(report: &Value) -> Self {
        let count = |field: &str| report[field].as_u64().unwrap();
        let mut failed = Vec::new();
        for (field, why) in [("unanswered", "last_losses"), ("connection_errors", "last_connection_error")] {
            if count(field) > 0 {
                failed.push(format!("{field}: {} ({})", count(field), report[why]));
            }
        }
        if report["unexpected"]["count"] != 0 {
            failed.push(format!("unexpected: {}", report["unexpected"]));
        }
        Self { seats: count("seats_booked"), requests: count("requests"), failed }
    }
}

fn pod(name: &str, seconds: u32, more: &[&str]) -> Value {
    let container = |name: &str, args: &[&str]| {
        json!({
            "name": name, "image": "myevents/myevents:local", "args": args,
            "env": [
                {"name": "EVENTS_URL", "value": "http://events:8181"},
                {"name": "BOOKINGS_URL", "value": "http://bookings:8181"},
                {"name": "EVENTS_OPS_URL", "value": "http://events-ops:9100"},
                {"name": "BOOKINGS_OPS_URL", "value": "http://bookings-ops:9100"},
            ],
            "resources": {"requests": {"cpu": "50m", "memory": "16Mi"}, "limits": {"memory": "128Mi"}},
            "securityContext": {
                "allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]},
            },
            "volumeMounts": [{"name": "record", "mountPath": "/record"}],
        })
    };
    let seconds = seconds.to_string();
    let load = [
        "load",
        "--json",
        "--record",
        "/record/answers",
        "--names",
        name,
        "--events",
        "5",
        "--capacity",
        "2000",
        "--patience",
        "30",
        "--connections",
        "16",
        "--duration",
        &seconds,
        "--reads",
        "20",
        "--bookings",
        "45",
        "--repeats",
        "10",
        "--cancels",
        "20",
        "--bad",
        "5",
    ];
    json!({
        "apiVersion": "v1", "kind": "Pod",
        "metadata": {"name": name, "labels": {"myevents/role": "operator", "app.kubernetes.io/name": "trial"}},
        "spec": {
            "restartPolicy": "Never", "automountServiceAccountToken": false, "terminationGracePeriodSeconds": 5,
            "securityContext": {
                "runAsNonRoot": true, "runAsUser": 65532, "fsGroup": 65532, "seccompProfile": {"type": "RuntimeDefault"},
            },
            "initContainers": [container("load", &[&load[..], more].concat())],
            "containers": [container("verify", &["verify", "--against", "/record/answers", "--patience", "90"])],
            "volumes": [{"name": "record", "emptyDir": {}}],
        },
    })
}
