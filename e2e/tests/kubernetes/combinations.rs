//! The components as they can be put together, read without a cluster.

use std::{collections::BTreeSet, fs};

use e2e::dashboard::{list, workspace};
use serde_json::{Value, json};

use crate::{
    kubectl::{NAMESPACE, try_kubectl},
    kustomize::{named, objects, of_kind, text},
    scratch::Kustomization,
};

type Combination = (&'static [&'static str], &'static [&'static str]);

const BASE: &[&str] = &["base"];
const WATCHED: &[&str] = &["base", "monitoring"];

/// Resources and components, below `deploy/`. Those of the overlays are not named again.
pub(crate) const COMBINATIONS: [Combination; 9] = [
    (WATCHED, &["components/load", "components/network-policies"]),
    (BASE, &["components/autoscaling"]),
    (BASE, &["components/keda"]),
    (WATCHED, &["components/network-policies", "components/keda"]),
    (WATCHED, &["components/prometheus-operator"]),
    (WATCHED, &["components/network-policies", "components/prometheus-operator"]),
    (WATCHED, &["components/load", "components/network-policies", "components/keda", "components/prometheus-operator"]),
    (WATCHED, &["components/inbox", "components/network-policies"]),
    (BASE, &["components/page", "components/network-policies"]),
];

fn combined((resources, components): Combination) -> Vec<Value> {
    objects(Kustomization::new(NAMESPACE, resources, components).path())
}

/// How many objects of a kind there are.
fn count(objects: &[Value], kind: &str) -> usize {
    of_kind(objects, kind).count()
}

#[test]
fn every_component_is_in_a_combination() {
    let tried: BTreeSet<_> = COMBINATIONS.iter().flat_map(|(_, components)| components.iter().copied()).collect();
    for folder in fs::read_dir(workspace().join("deploy/components")).unwrap() {
        let name = format!("components/{}", folder.unwrap().file_name().to_string_lossy());
        assert!(tried.contains(name.as_str()), "{name} is not tried");
    }
}

#[test]
fn with_keda_nobody_else_says_how_many_there_are() {
    let all = combined(COMBINATIONS[3]);
    assert_eq!((count(&all, "ScaledObject"), count(&all, "HorizontalPodAutoscaler")), (2, 0));
    for name in ["eventservice", "bookingservice"] {
        assert_eq!(named(&all, "Deployment", name)["spec"]["replicas"], Value::Null, "{name}");
        let scaled = named(&all, "ScaledObject", name);
        assert_eq!(scaled["spec"]["scaleTargetRef"]["name"], name);
        // `queueLength` is the old form.
        let queue = &scaled["spec"]["triggers"][1];
        assert_eq!((text(queue, "/metadata/mode"), text(queue, "/metadata/queueName")), ("QueueLength", name));
        named(&all, "TriggerAuthentication", text(queue, "/authenticationRef/name"));
    }
    let from_keda = json!([{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}}]);
    let ingress = &named(&all, "NetworkPolicy", "rabbitmq")["spec"]["ingress"];
    assert!(list(ingress).any(|rule| rule["from"] == from_keda), "{ingress}");
}

#[test]
fn two_that_scale_one_deployment_cannot_be_put_together() {
    let both = Kustomization::new(NAMESPACE, BASE, &["components/autoscaling", "components/keda"]);
    let (well, said) = try_kubectl(&["kustomize", both.path()]);
    assert!(!well && said.contains("replicas"), "{said}");
}

#[test]
fn with_the_operator_nothing_is_scraped_twice() {
    let all = combined(COMBINATIONS[5]);
    let workloads = of_kind(&all, "Deployment").chain(of_kind(&all, "StatefulSet"));
    for workload in workloads {
        for its_own in ["prometheus", "alertmanager"] {
            assert_ne!(workload["metadata"]["name"], its_own, "the operator runs its own");
        }
        let annotations = &workload["spec"]["template"]["metadata"]["annotations"];
        assert_eq!(*annotations, Value::Null, "{}", workload["metadata"]["name"]);
    }
    for name in ["prometheus", "alertmanager"] {
        for kind in ["ConfigMap", "ServiceAccount", "Role", "RoleBinding"] {
            // A ConfigMap may end in a hash. `prometheus-k8s` is of the operator's Prometheus.
            let is = |called: &str| called == name || kind == "ConfigMap" && called.starts_with(&format!("{name}-"));
            let left = of_kind(&all, kind).any(|object| is(text(object, "/metadata/name")));
            assert!(!left, "a {kind} of {name} is left");
        }
        assert_eq!(named(&all, "Service", name)["spec"]["type"], "ExternalName");
    }
}

#[test]
fn a_monitor_names_a_port_that_its_pods_have() {
    let all = combined(COMBINATIONS[4]);
    let monitor = named(&all, "ServiceMonitor", "services");
    let names: Vec<_> = list(&monitor["spec"]["selector"]["matchExpressions"][0]["values"]).collect();
    assert_eq!(names.len(), 2);
    for name in names {
        let services =
            of_kind(&all, "Service").filter(|one| one["metadata"]["labels"]["app.kubernetes.io/name"] == *name);
        let ports = services.flat_map(|service| list(&service["spec"]["ports"]));
        let metrics = ports.filter(|port| port["name"] == monitor["spec"]["endpoints"][0]["port"]);
        assert_eq!(metrics.count(), 1, "{name}: each pod is one target");
    }
    for monitor in of_kind(&all, "PodMonitor") {
        let wanted = &monitor["spec"]["podMetricsEndpoints"][0]["port"];
        let of = text(&monitor["spec"]["selector"]["matchLabels"], "/app.kubernetes.io~1name");
        let mut workloads = of_kind(&all, "Deployment").chain(of_kind(&all, "StatefulSet"));
        let workload =
            workloads.find(|one| one["metadata"]["name"] == of).unwrap_or_else(|| panic!("no workload {of}"));
        let containers = &workload["spec"]["template"]["spec"]["containers"];
        assert!(list(&containers[0]["ports"]).any(|port| port["name"] == *wanted), "{of}: {wanted}");
    }
    assert_eq!(count(&all, "PodMonitor"), 4, "bridge, grafana, pushgateway and rabbitmq");
}

#[test]
fn a_monitor_has_the_limits_of_the_scrape_configuration() {
    let file = fs::read_to_string(workspace().join("prometheus/kubernetes.yml")).unwrap();
    let all = combined(COMBINATIONS[4]);
    let monitors: Vec<_> = of_kind(&all, "ServiceMonitor").chain(of_kind(&all, "PodMonitor")).collect();
    assert_eq!(monitors.len(), 5);
    for monitor in monitors {
        for (limit, there) in
            [("labelLimit", "label_limit"), ("labelValueLengthLimit", "label_value_length_limit"), ("sampleLimit", "")]
        {
            let value = &monitor["spec"][limit];
            assert!(value.is_u64(), "{}: no {limit}", monitor["metadata"]["name"]);
            assert!(there.is_empty() || file.contains(&format!("{there}: {value}")), "{limit}: {value}");
        }
    }
}
