//! How a pod is asked whether it works, how it is found, and how long its end may take.

use std::{collections::BTreeSet, fs};

use e2e::dashboard::{list, workspace};
use serde_json::Value;

use crate::kustomize::{Workload, text};

/// A Job ends by itself; the load has no port to ask.
const NOT_ASKED: [&str; 2] = ["load", "mongodb-init"];
const SERVICES: [&str; 2] = ["eventservice", "bookingservice"];

/// How long it may fail before something follows, in seconds.
fn may_fail_for(probe: &Value) -> u64 {
    probe["periodSeconds"].as_u64().unwrap_or(10) * probe["failureThreshold"].as_u64().unwrap_or(3)
}

/// The names of its ports.
fn ports(container: &Value) -> BTreeSet<&str> {
    list(&container["ports"]).map(|port| text(port, "/name")).collect()
}

#[test]
fn whatever_runs_is_asked_at_the_start_for_its_life_and_for_its_readiness() {
    for workload in Workload::all() {
        for container in workload.containers() {
            for kind in ["startupProbe", "livenessProbe", "readinessProbe"] {
                let (place, probe) = (format!("{}, {kind}", workload.place()), &container[kind]);
                if NOT_ASKED.contains(&workload.name()) {
                    assert_eq!(*probe, Value::Null, "{place}");
                    continue;
                }
                let asks = if probe["httpGet"].is_object() { &probe["httpGet"] } else { &probe["tcpSocket"] };
                assert!(ports(container).contains(text(asks, "/port")), "{place}: {probe}");
            }
            // The other two wait for the first one, so that one allows a slow start, and asks every second.
            let start = &container["startupProbe"];
            assert!(
                start.is_null() || start["periodSeconds"] == 1 && may_fail_for(start) >= 60,
                "{}: {start}",
                workload.place()
            );
        }
    }
}

#[test]
fn the_life_of_a_service_asks_no_store_and_its_readiness_rides_out_half_a_minute() {
    for workload in Workload::all().iter().filter(|workload| SERVICES.contains(&workload.name())) {
        let (place, container) = (workload.place(), &workload.spec()["containers"][0]);
        for (kind, path) in [("startupProbe", "/livez"), ("livenessProbe", "/livez"), ("readinessProbe", "/readyz")] {
            assert_eq!(text(container, &format!("/{kind}/httpGet/path")), path, "{place}");
            assert_eq!(
                text(container, &format!("/{kind}/httpGet/port")),
                "metrics",
                "{place}: not the port of callers"
            );
        }
        assert!(may_fail_for(&container["readinessProbe"]) >= 30, "{place}");
    }
}

#[test]
fn every_pod_says_what_it_is() {
    for workload in Workload::all() {
        let (place, labels) = (workload.place(), &workload.pod()["labels"]);
        assert_eq!(labels["app.kubernetes.io/name"], workload.name(), "{place}: it becomes the label `job`");
        assert_eq!(labels["app.kubernetes.io/part-of"], "myevents", "{place}");
        let tier = match workload.name() {
            "eventservice" | "bookingservice" => "api",
            "mongodb" | "rabbitmq" => "store",
            "prometheus" | "grafana" | "alertmanager" | "bridge" | "mailpit" | "inbox" => "monitoring",
            "load" => "client",
            "page" => "page",
            _ => continue, // a Job is no part of what runs
        };
        assert_eq!(labels["myevents/tier"], tier, "{place}");
        assert!(labels["myevents/app"].is_string(), "{place}");
    }
}

#[test]
fn who_has_metrics_says_so_in_annotations_that_are_strings() {
    let mut scraped = BTreeSet::new();
    for workload in Workload::all() {
        let place = workload.place();
        let annotations = workload.pod()["annotations"].as_object();
        for (name, value) in annotations.into_iter().flatten() {
            assert!(value.is_string(), "{place}: {name}: {value} needs quotes");
        }
        let Some(annotations) = annotations else { continue };
        assert_eq!(annotations["prometheus.io/scrape"], "true", "{place}");
        let port: u64 = annotations["prometheus.io/port"].as_str().unwrap().parse().unwrap();
        let mut open = workload.containers().flat_map(|container| list(&container["ports"]));
        assert!(open.any(|open| open["containerPort"] == port), "{place}: no port {port}");
        scraped.insert(workload.name().to_owned());
    }
    let right = ["alertmanager", "bookingservice", "bridge", "eventservice", "grafana", "prometheus", "rabbitmq"];
    assert_eq!(scraped, right.map(str::to_owned).into());
}

/// The numbers in the text between two words.
fn numbers(text: &str, from: &str, to: &str) -> Vec<u64> {
    let part =
        text.split_once(from).and_then(|(_, rest)| rest.split_once(to)).unwrap_or_else(|| panic!("no {from:?}")).0;
    part.split(|c: char| !c.is_ascii_digit()).filter_map(|number| number.parse().ok()).collect()
}

#[test]
fn a_service_has_more_time_to_end_than_all_it_does_then() {
    for name in SERVICES {
        let text = fs::read_to_string(workspace().join(format!("deploy/base/{name}/deployment.yaml"))).unwrap();
        let steps = numbers(&text, "# On SIGTERM", "terminationGracePeriodSeconds");
        assert_eq!(steps.len(), 5, "{name}: {steps:?}");
        assert_eq!(numbers(&text, "SHUTDOWN_DELAY, value: ", "}"), steps[..1], "{name}");
        let all: u64 = steps.iter().sum();
        for workload in Workload::all().iter().filter(|workload| workload.name() == name) {
            let grace = workload.spec()["terminationGracePeriodSeconds"].as_u64().unwrap();
            assert!(grace > all, "{}: {grace} s, and its steps take {all}", workload.place());
        }
    }
}

#[test]
fn what_stores_has_time_to_close_its_files() {
    for workload in Workload::all() {
        let right = match (workload.overlay, workload.name()) {
            ("production", "rabbitmq") => 120, // before it stops, it waits up to 60 s for the others
            (_, "rabbitmq" | "mongodb") => 60,
            (_, "prometheus") => 300,
            _ => continue,
        };
        assert_eq!(workload.spec()["terminationGracePeriodSeconds"], right, "{}", workload.place());
    }
}
