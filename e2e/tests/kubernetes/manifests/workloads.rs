//! What holds an overlay together: who selects whom, how many there are, how they are replaced, and where they store.

use std::collections::{BTreeMap, BTreeSet};

use e2e::dashboard::list;
use serde_json::{Value, json};

use crate::kustomize::{OVERLAYS, Workload, named, of_kind, overlay, selects, text};

/// Both services scale; so do these Deployments.
const SERVICES: [&str; 2] = ["eventservice", "bookingservice"];

/// Who is selected by a policy, and comes from outside of these manifests.
const OUTSIDERS: [(&str, &str); 3] = [
    ("app.kubernetes.io/name", "mongodb-exporter"),
    ("myevents/role", "operator"),
    ("myevents/tier", "client"), // the load, where it runs
];

#[test]
fn everything_is_in_the_one_namespace_which_lets_only_restricted_pods_in() {
    for name in OVERLAYS {
        let all = overlay(name);
        for object in all.iter().filter(|object| object["kind"] != "Namespace") {
            assert_eq!(object["metadata"]["namespace"], "myevents", "{name}: {}", object["metadata"]["name"]);
            assert_eq!(
                object["metadata"]["labels"]["app.kubernetes.io/part-of"], "myevents",
                "{name}: {}",
                object["metadata"]
            );
        }
        let labels = &named(all, "Namespace", "myevents")["metadata"]["labels"];
        assert_eq!(labels["pod-security.kubernetes.io/enforce"], "restricted", "{name}");
        assert_eq!(labels["pod-security.kubernetes.io/warn"], "restricted", "{name}: the workloads' own pods");
    }
}

#[test]
fn each_workload_selects_its_own_pods_and_no_others() {
    let all = Workload::all();
    for workload in all.iter().filter(|workload| workload.json["kind"] != "Job") {
        let selector = &workload.json["spec"]["selector"]["matchLabels"];
        assert_eq!(*selector, json!({"app.kubernetes.io/name": workload.name()}), "{}", workload.place());
        for other in all.iter().filter(|other| other.overlay == workload.overlay) {
            let selected = selects(selector, &other.pod()["labels"]);
            assert_eq!(selected, other.name() == workload.name(), "{} and {}", workload.place(), other.place());
        }
    }
}

#[test]
fn each_service_leads_to_open_ports_of_one_workload() {
    for name in OVERLAYS {
        let workloads: Vec<_> = Workload::all().into_iter().filter(|workload| workload.overlay == name).collect();
        for service in of_kind(overlay(name), "Service") {
            let selected = workloads.iter().filter(|one| selects(&service["spec"]["selector"], &one.pod()["labels"]));
            let [workload] = selected.collect::<Vec<_>>()[..] else { panic!("{name}: not one workload: {service}") };
            let open: Vec<_> = workload.containers().flat_map(|container| list(&container["ports"])).collect();
            for port in list(&service["spec"]["ports"]) {
                let target = if port["targetPort"].is_null() { &port["port"] } else { &port["targetPort"] };
                let found = open.iter().find(|open| open["name"] == *target || open["containerPort"] == *target);
                let found = found.unwrap_or_else(|| panic!("{name}, {}: {port}", service["metadata"]["name"]));
                assert_eq!(found["containerPort"], port["port"], "{name}: the same number on both sides");
            }
        }
    }
}

#[test]
fn a_stateful_set_has_a_headless_service_that_gives_its_pods_names() {
    for workload in Workload::all().iter().filter(|workload| workload.json["kind"] == "StatefulSet") {
        let name = text(workload.json, "/spec/serviceName");
        let all = overlay(workload.overlay);
        let service = named(all, "Service", name);
        // Grafana's pod needs no name: it is asked through an ordinary Service.
        let right = if workload.name() == "grafana" { Value::Null } else { json!("None") };
        assert_eq!(service["spec"]["clusterIP"], right, "{}: {name}", workload.place());
        assert!(selects(&service["spec"]["selector"], &workload.pod()["labels"]), "{}: {name}", workload.place());
    }
}

#[test]
fn a_policy_speaks_of_pods_that_exist() {
    let labels: Vec<_> = Workload::all().iter().map(|workload| workload.pod()["labels"].clone()).collect();
    for policy in of_kind(overlay("production"), "NetworkPolicy") {
        let rules = list(&policy["spec"]["ingress"]).chain(list(&policy["spec"]["egress"]));
        let peers = rules.flat_map(|rule| list(&rule["from"]).chain(list(&rule["to"])));
        let selectors = peers.filter(|peer| peer["namespaceSelector"].is_null()).map(|peer| &peer["podSelector"]);
        for selector in selectors.chain([&policy["spec"]["podSelector"]]) {
            let Some(wanted) = selector["matchLabels"].as_object() else { continue }; // all pods
            let outside =
                wanted.iter().any(|(label, value)| OUTSIDERS.iter().any(|one| label == one.0 && *value == *one.1));
            let exists = labels.iter().any(|labels| selects(&selector["matchLabels"], labels));
            assert!(outside || exists, "{}: nobody is {selector}", policy["metadata"]["name"]);
        }
    }
}

#[test]
fn a_number_of_replicas_and_an_autoscaler_are_never_both() {
    for name in OVERLAYS {
        let all = overlay(name);
        let scaled: BTreeSet<_> = ["HorizontalPodAutoscaler", "ScaledObject"]
            .into_iter()
            .flat_map(|kind| of_kind(all, kind))
            .map(|scaler| text(scaler, "/spec/scaleTargetRef/name"))
            .collect();
        let both = ["HorizontalPodAutoscaler", "ScaledObject"].iter().all(|kind| of_kind(all, kind).count() > 0);
        assert!(!both, "{name}: two that scale one Deployment fight over it");
        let right: BTreeSet<_> = if name == "production" { SERVICES.into() } else { BTreeSet::new() };
        assert_eq!(scaled, right, "{name}");
        for deployment in of_kind(all, "Deployment") {
            let called = text(deployment, "/metadata/name");
            let replicas = match called {
                scaled_by_itself if scaled.contains(scaled_by_itself) => Value::Null,
                "page" | "load" | "bridge" | "mailpit" | "inbox" => json!(1),
                _ => json!(2),
            };
            assert_eq!(deployment["spec"]["replicas"], replicas, "{name}: {called}");
        }
    }
}

#[test]
fn there_is_one_of_each_store_and_three_in_production() {
    for workload in Workload::all().iter().filter(|workload| workload.json["kind"] == "StatefulSet") {
        let clustered = workload.overlay == "production" && ["mongodb", "rabbitmq"].contains(&workload.name());
        assert_eq!(workload.json["spec"]["replicas"], if clustered { 3 } else { 1 }, "{}", workload.place());
        if clustered {
            let spread = &workload.spec()["topologySpreadConstraints"][0];
            assert_eq!(spread["topologyKey"], "kubernetes.io/hostname", "{}", workload.place());
            assert_eq!(spread["whenUnsatisfiable"], "DoNotSchedule", "{}", workload.place());
        }
    }
}

/// Two stand for a mail server, a robot of DingTalk and a dead-man's switch, which production has elsewhere; the page has no password.
#[test]
fn only_a_cluster_of_ones_own_has_an_inbox_and_the_page() {
    for name in OVERLAYS {
        let all = overlay(name);
        for called in ["inbox", "mailpit", "page"] {
            let there = of_kind(all, "Deployment").any(|deployment| deployment["metadata"]["name"] == called);
            assert_eq!(there, name != "production", "{called} in {name}");
        }
    }
}

#[test]
fn a_release_never_has_one_pod_less() {
    for workload in Workload::all().iter().filter(|workload| SERVICES.contains(&workload.name())) {
        let right = json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}});
        assert_eq!(workload.json["spec"]["strategy"], right, "{}", workload.place());
    }
}

#[test]
fn of_what_there_is_more_than_one_of_only_one_may_be_away() {
    for name in OVERLAYS {
        let all = overlay(name);
        let budgets: BTreeMap<_, _> = of_kind(all, "PodDisruptionBudget")
            .map(|budget| (text(budget, "/metadata/name"), &budget["spec"]))
            .collect();
        let mut right = SERVICES.to_vec();
        if name == "production" {
            right.extend(["mongodb", "rabbitmq"]);
        }
        right.sort_unstable();
        assert_eq!(budgets.keys().copied().collect::<Vec<_>>(), right, "{name}");
        for (called, budget) in budgets {
            assert_eq!(budget["maxUnavailable"], 1, "{name}: {called}");
            assert_eq!(budget["selector"]["matchLabels"], json!({"app.kubernetes.io/name": called}), "{name}");
            // A store that does not work is a member that is away already.
            let policy = if SERVICES.contains(&called) { json!("AlwaysAllow") } else { Value::Null };
            assert_eq!(budget["unhealthyPodEvictionPolicy"], policy, "{name}: {called}");
        }
    }
}

#[test]
fn the_storage_class_is_the_overlays_business() {
    let mut claims = 0;
    for workload in Workload::all() {
        let right = match workload.overlay {
            "minikube" => json!("standard"),
            "k3s" => json!("local-path"),
            _ => Value::Null, // the cluster's default
        };
        for claim in list(&workload.json["spec"]["volumeClaimTemplates"]) {
            assert_eq!(claim["spec"]["storageClassName"], right, "{}", workload.place());
            assert_eq!(claim["metadata"]["annotations"], Value::Null, "{}", workload.place());
            claims += 1;
        }
    }
    assert_eq!(claims, 15, "five that store, three times");
    let prometheus = named(overlay("production"), "StatefulSet", "prometheus").clone();
    assert_eq!(prometheus["spec"]["volumeClaimTemplates"][0]["spec"]["resources"]["requests"]["storage"], "5Gi");
}
