//! `prometheus/kubernetes.yml`: which pods Prometheus would take, where it would ask, and what it would call them. That it does so on
//! a real cluster, too, is tested there.

use std::fs;

use e2e::dashboard::workspace;

use crate::pods::{Pod, Target, discovered, with_pods};

const SERVICE: Pod = Pod {
    name: "eventservice-6d4cf56db6-x2x9k",
    address: "192.0.2.1",
    phase: "Running",
    labels: &[
        ("app.kubernetes.io/name", "eventservice"),
        ("myevents/app", "events"),
        ("myevents/tier", "api"),
        ("pod-template-hash", "6d4cf56db6"),
    ],
    annotations: &[
        ("prometheus.io/scrape", "true"),
        ("prometheus.io/path", "/metrics"),
        ("prometheus.io/port", "9100"),
        ("prometheus.io/scheme", "http"),
    ],
    ports: &[("http", 8181), ("metrics", 9100)],
    init: false,
};

const BROKER: Pod = Pod {
    name: "rabbitmq-0",
    address: "192.0.2.2",
    phase: "Running",
    labels: &[("app.kubernetes.io/name", "rabbitmq"), ("controller-revision-hash", "rabbitmq-58b9c5df4")],
    annotations: &[("prometheus.io/scrape", "true"), ("prometheus.io/port", "15692")],
    ports: &[("amqp", 5672), ("management", 15672), ("metrics", 15692), ("epmd", 4369), ("distribution", 25672)],
    init: true,
};

/// Somebody else's: with TLS, another path, and ports that it does not declare.
const OTHER: Pod = Pod {
    name: "other",
    address: "[2001:db8::3]",
    phase: "Running",
    labels: &[("app.kubernetes.io/name", "other")],
    annotations: &[
        ("prometheus.io/scrape", "true"),
        ("prometheus.io/path", "/probe"),
        ("prometheus.io/port", "8443"),
        ("prometheus.io/scheme", "https"),
    ],
    ports: &[],
    init: false,
};

fn read(file: &str) -> String {
    fs::read_to_string(workspace().join(file)).unwrap()
}

fn target(url: &str, labels: &[(&str, &str)]) -> Target {
    let mut labels: Vec<_> = labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let instance = url.split("//").nth(1).unwrap().split('/').next().unwrap();
    labels.extend([
        ("instance".to_owned(), instance.to_owned()),
        ("kubernetes_namespace".to_owned(), "myevents".to_owned()),
    ]);
    Target { url: url.to_owned(), labels: labels.into_iter().collect() }
}

#[tokio::test]
async fn each_pod_that_says_so_is_one_target_and_no_other_pod_is() {
    let silent = Pod { name: "grafana-0", address: "192.0.2.4", annotations: &[], ..SERVICE };
    let not = Pod { name: "no", address: "192.0.2.5", annotations: &[("prometheus.io/scrape", "false")], ..SERVICE };
    let begins = Pod { name: "begins", address: "192.0.2.6", phase: "Pending", ..SERVICE };
    let finished = Pod { name: "finished", address: "192.0.2.7", phase: "Succeeded", ..SERVICE };
    let failed = Pod { name: "failed", address: "192.0.2.8", phase: "Failed", ..BROKER };
    let pods = [SERVICE, BROKER, OTHER, silent, not, begins, finished, failed];
    let Some((targets, dropped)) = discovered(&with_pods(&read("prometheus/kubernetes.yml"), &pods)).await else {
        return;
    };

    let mut right = vec![
        target(
            "http://192.0.2.1:9100/metrics",
            &[
                ("app_kubernetes_io_name", "eventservice"),
                ("job", "eventservice"),
                ("kubernetes_pod_name", SERVICE.name),
                ("myevents_app", "events"),
                ("myevents_tier", "api"),
            ],
        ),
        target(
            "http://192.0.2.2:15692/metrics",
            &[("app_kubernetes_io_name", "rabbitmq"), ("job", "rabbitmq"), ("kubernetes_pod_name", BROKER.name)],
        ),
        target(
            "http://192.0.2.2:15692/metrics/detailed?family=queue_coarse_metrics&family=queue_consumer_count",
            &[("job", "rabbitmq-detailed"), ("kubernetes_pod_name", BROKER.name)],
        ),
        target(
            "https://[2001:db8::3]:8443/probe",
            &[("app_kubernetes_io_name", "other"), ("job", "other"), ("kubernetes_pod_name", OTHER.name)],
        ),
    ];
    right.sort();
    assert_eq!(targets, right);
    // All else was seen and left out, and is shown at /service-discovery: of the five others' ports each, of both jobs' broker the
    // container that ran first, and in the second job its other ports.
    assert_eq!(dropped, 4 * SERVICE.ports.len() + 6 + 1 + 6 + 5);
}

/// Row 22 of the usual mistakes, as many guides have it.
#[tokio::test]
async fn with_all_labels_and_one_job_each_release_begins_new_series_and_no_dashboard_finds_its_program() {
    let wrong = read("e2e/tests/kubernetes/wrong/22-all-labels-one-job.yml");
    let Some((targets, _)) = discovered(&with_pods(&wrong, &[SERVICE, BROKER])).await else { return };
    for target in &targets {
        assert_eq!(target.labels["job"], "kubernetes-pods", "{target:?}");
        let hash = target.labels.keys().any(|label| label.ends_with("_hash"));
        assert!(hash, "{target:?}");
        assert!(!target.labels.contains_key("kubernetes_pod_name"), "{target:?}");
    }
    let urls: Vec<_> = targets.iter().map(|target| target.url.as_str()).collect();
    // Also the broker's container that has ended: it has the same address.
    assert_eq!(urls, ["http://192.0.2.1:9100/metrics", "http://192.0.2.2:15692/metrics"]);
}

#[test]
fn both_configurations_are_the_same_in_general() {
    let global = |file: &str| {
        let text = read(file);
        let (_, rest) = text.split_once("\nglobal:\n").unwrap();
        let lines = rest.lines().take_while(|line| line.starts_with(' '));
        let lines = lines.filter(|line| !line.trim_start().starts_with('#'));
        lines.map(|line| line.split(" #").next().unwrap().to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(global("prometheus/kubernetes.yml"), global("prometheus/prometheus.yml"));
    assert!(global("prometheus/prometheus.yml").contains(&"  scrape_interval: 15s".to_owned()));
}

#[test]
fn the_second_job_asks_the_broker_what_it_asks_in_compose() {
    let asked = |file: &str| {
        let text = read(file);
        let (_, rest) = text.split_once("- job_name: rabbitmq-detailed\n").unwrap();
        rest.lines().take(3).map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(asked("prometheus/kubernetes.yml"), asked("prometheus/prometheus.yml"));
}
