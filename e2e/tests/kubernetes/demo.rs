//! The manifests of `tutorial/random`: the Deployment, Service and ServiceMonitor of articles, in their right form.

use e2e::dashboard::list;
use serde_json::{Value, json};

use crate::{
    kubectl::try_kubectl,
    kustomize::{named, objects, overlay, selects, text},
    scratch::Namespace,
};

const BASE: &str = "tutorial/random/kubernetes/base";
const OPERATOR: &str = "tutorial/random/kubernetes/operator";

fn pod(objects: &[Value]) -> Value {
    named(objects, "Deployment", "demo-app")["spec"]["template"].clone()
}

#[test]
fn the_demo_is_selected_by_its_label_and_found_by_the_name_of_its_port() {
    let all = objects(OPERATOR);
    let kinds: Vec<_> = all.iter().map(|object| text(object, "/kind")).collect();
    assert_eq!(kinds, ["ServiceAccount", "Service", "Deployment", "ServiceMonitor"]);
    let [deployment, service, monitor] =
        ["Deployment", "Service", "ServiceMonitor"].map(|kind| named(&all, kind, "demo-app"));
    assert_eq!(deployment["apiVersion"], "apps/v1");
    let label = json!({"app": "demo-app"});
    assert_eq!(deployment["spec"]["selector"]["matchLabels"], label);
    assert_eq!(service["spec"]["selector"], label);
    assert_eq!(monitor["spec"]["selector"]["matchLabels"], label);
    assert!(selects(&label, &pod(&all)["metadata"]["labels"]) && selects(&label, &service["metadata"]["labels"]));

    let port = &service["spec"]["ports"][0];
    assert_eq!(monitor["spec"]["endpoints"][0]["port"], port["name"]);
    let open = &pod(&all)["spec"]["containers"][0]["ports"][0];
    assert_eq!((&open["name"], &open["containerPort"]), (&port["targetPort"], &port["port"]));
    assert_eq!(port["port"], 8080);
    for limit in ["sampleLimit", "targetLimit", "labelLimit", "labelValueLengthLimit"] {
        assert!(monitor["spec"][limit].is_u64(), "no {limit}");
    }
}

#[test]
fn the_demo_is_scraped_by_its_annotations_or_by_the_operator_never_by_both() {
    let annotated = pod(&objects(BASE));
    let right = json!({"prometheus.io/scrape": "true", "prometheus.io/port": "8080"});
    assert_eq!(annotated["metadata"]["annotations"], right);
    assert!(objects(BASE).iter().all(|object| object["kind"] != "ServiceMonitor"));
    assert_eq!(pod(&objects(OPERATOR))["metadata"]["annotations"], Value::Null);
}

/// As restricted as the bridge, whose image has the same user.
#[test]
fn the_pod_of_the_demo_is_as_restricted_as_all_others() {
    let (demo, bridge) = (pod(&objects(BASE)), &named(overlay("minikube"), "Deployment", "bridge")["spec"]["template"]);
    for field in ["securityContext", "automountServiceAccountToken", "enableServiceLinks"] {
        assert_eq!(demo["spec"][field], bridge["spec"][field], "{field}");
    }
    assert_eq!(demo["spec"]["serviceAccountName"], "demo-app");
    let [container, like] = [&demo, bridge].map(|pod| &pod["spec"]["containers"][0]);
    assert_eq!(container["securityContext"], like["securityContext"]);
    assert_eq!(container["image"], "myevents/random:local");
    for of in ["cpu", "memory"] {
        assert!(["requests", "limits"].iter().all(|kind| container["resources"][kind][of].is_string()), "{of}");
    }
    assert_eq!(list(&demo["spec"]["containers"]).count(), 1);
}

#[test]
fn the_demo_is_accepted_without_a_warning() {
    let _namespace = Namespace::new("demo");
    for folder in [BASE, OPERATOR] {
        let apply = ["--namespace", "myevents-demo", "apply", "--dry-run=server", "--validate=strict", "--kustomize"];
        let (well, said) = try_kubectl(&[&apply[..], &[folder]].concat());
        assert!(!said.contains("ensure CRDs are installed"), "run `.ci/kubernetes/cluster.sh crds` before: {said}");
        assert!(well && !said.contains("Warning"), "{folder}: {said}");
    }
}
