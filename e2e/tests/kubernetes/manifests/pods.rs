//! What every pod of every overlay must be: the Pod Security Standard `restricted`, a root that nobody can write to, users by number,
//! and a bound for all that it takes.

use e2e::dashboard::list;
use serde_json::{Value, json};

use crate::kustomize::{Workload, named, overlay, text};

/// Which user each image is made for.
const USERS: [(&str, u64); 8] = [
    ("myevents/eventservice", 65532),
    ("myevents/bookingservice", 65532),
    ("myevents/myevents", 65532),
    ("mongo", 999),
    ("rabbitmq", 999),
    ("grafana/grafana", 472),
    ("prom/alertmanager", 65534),
    ("axllent/mailpit", 65534), // made for root; any user will do
];
const PROMETHEUS: (&str, u64) = ("prom/prometheus", 65534);

/// What may be mounted: nothing of the node.
const VOLUMES: [&str; 4] = ["configMap", "emptyDir", "projected", "secret"];

/// Name and tag.
fn image(container: &Value) -> (&str, &str) {
    let image = text(container, "/image");
    image.rsplit_once(':').unwrap_or_else(|| panic!("{image} has no tag"))
}

/// `100m` or `2` as thousandths of a processor; `64Mi` as bytes.
fn quantity(text: &str) -> u64 {
    let digits = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let number: u64 = digits.parse().unwrap_or_else(|cause| panic!("{text:?}: {cause}"));
    match &text[digits.len()..] {
        "" => number * 1000,
        "m" => number,
        "Mi" => number << 20,
        other => panic!("{text}: what is {other}?"),
    }
}

#[test]
fn every_pod_runs_as_the_user_of_its_image_and_never_as_root() {
    for workload in Workload::all() {
        let (place, context) = (workload.place(), &workload.spec()["securityContext"]);
        for container in workload.all_containers() {
            let (name, _) = image(container);
            let user = USERS.iter().chain([&PROMETHEUS]).find(|(image, _)| *image == name);
            let (_, user) = user.unwrap_or_else(|| panic!("{place}: which user is {name} made for?"));
            assert_eq!(context["runAsUser"], *user, "{place}");
            assert_eq!(context["runAsGroup"], *user, "{place}");
            assert_eq!(container["securityContext"]["runAsUser"], Value::Null, "{place}: the pod says it for all");
        }
        assert_eq!(context["runAsNonRoot"], true, "{place}");
        assert_eq!(context["seccompProfile"], json!({"type": "RuntimeDefault"}), "{place}");
        if workload.json["spec"]["volumeClaimTemplates"].is_array() {
            assert_eq!(context["fsGroup"], context["runAsUser"], "{place}: it could not write to its volume");
        }
    }
}

#[test]
fn no_container_can_gain_rights_or_write_to_its_root() {
    let right =
        json!({"allowPrivilegeEscalation": false, "readOnlyRootFilesystem": true, "capabilities": {"drop": ["ALL"]}});
    for workload in Workload::all() {
        for container in workload.all_containers() {
            assert_eq!(container["securityContext"], right, "{} {}", workload.place(), container["name"]);
        }
    }
}

#[test]
fn no_pod_has_anything_of_its_node() {
    for workload in Workload::all() {
        let (place, spec) = (workload.place(), workload.spec());
        for field in ["hostNetwork", "hostPID", "hostIPC"] {
            assert_eq!(spec[field], Value::Null, "{place}: {field}");
        }
        for volume in list(&spec["volumes"]) {
            let mut kinds = volume.as_object().unwrap().keys().filter(|key| *key != "name");
            assert!(kinds.all(|kind| VOLUMES.contains(&kind.as_str())), "{place}: {volume}");
        }
        for port in workload.all_containers().flat_map(|container| list(&container["ports"])) {
            assert_eq!(port["hostPort"], Value::Null, "{place}: {port}");
        }
    }
}

#[test]
fn every_volume_of_a_pod_is_there_and_used() {
    for workload in Workload::all() {
        let claims = list(&workload.json["spec"]["volumeClaimTemplates"]).map(|claim| text(claim, "/metadata/name"));
        let mut volumes: Vec<_> =
            list(&workload.spec()["volumes"]).map(|volume| text(volume, "/name")).chain(claims).collect();
        let mounts = workload.all_containers().flat_map(|container| list(&container["volumeMounts"]));
        let mut mounted: Vec<_> = mounts.map(|mount| text(mount, "/name")).collect();
        volumes.sort_unstable();
        mounted.sort_unstable();
        mounted.dedup();
        assert_eq!(mounted, volumes, "{}", workload.place());
    }
}

#[test]
fn every_container_says_what_it_needs_and_the_most_it_may_take() {
    for workload in Workload::all() {
        for container in workload.all_containers() {
            let resources = &container["resources"];
            for of in ["cpu", "memory"] {
                let [request, limit] =
                    ["requests", "limits"].map(|kind| quantity(text(resources, &format!("/{kind}/{of}"))));
                assert!(0 < request && request <= limit, "{} {}: {resources}", workload.place(), container["name"]);
            }
        }
    }
}

#[test]
fn only_prometheus_gets_a_token_for_the_api_server() {
    for workload in Workload::all() {
        let (place, spec) = (workload.place(), workload.spec());
        let asks = workload.name() == "prometheus";
        assert_eq!(spec["automountServiceAccountToken"], asks, "{place}");
        // Its own, or that of its store: never the namespace's default one.
        let account = text(spec, "/serviceAccountName");
        assert!(workload.name().starts_with(account) && !account.is_empty(), "{place}: {account:?}");
        let objects = overlay(workload.overlay);
        assert_eq!(named(objects, "ServiceAccount", account)["automountServiceAccountToken"], false, "{place}");
        // PROMETHEUS_PORT and the like, which Kubernetes sets for each Service, would be taken for options.
        assert_eq!(spec["enableServiceLinks"], false, "{place}");
    }
}

#[test]
fn prometheus_may_look_at_pods_and_do_nothing_else() {
    let all = overlay("production");
    let right = json!([{"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch"]}]);
    assert_eq!(named(all, "Role", "prometheus")["rules"], right);
    let roles = all.iter().filter(|object| text(object, "/kind").ends_with("Role"));
    assert_eq!(roles.count(), 1);
    let binding = named(all, "RoleBinding", "prometheus");
    assert_eq!(binding["subjects"], json!([{"kind": "ServiceAccount", "name": "prometheus", "namespace": "myevents"}]));
}

#[test]
fn every_image_has_a_tag_and_only_ours_are_never_pulled() {
    for workload in Workload::all() {
        for container in workload.all_containers() {
            let (name, tag) = image(container);
            assert!(!tag.is_empty() && tag != "latest", "{}: {name}:{tag}", workload.place());
            // On a local cluster they are loaded by hand. Elsewhere the default holds: an image is pulled where it is missing.
            let by_hand = workload.overlay != "production" && name.starts_with("myevents/");
            let right = if by_hand { json!("Never") } else { Value::Null };
            assert_eq!(container["imagePullPolicy"], right, "{}: {name}", workload.place());
        }
    }
}

#[test]
fn what_runs_first_has_the_image_of_what_follows() {
    let mut seen = 0;
    for workload in Workload::all() {
        for first in list(&workload.spec()["initContainers"]) {
            assert_eq!(first["image"], workload.spec()["containers"][0]["image"], "{}", workload.place());
            seen += 1;
        }
    }
    assert_eq!(seen, 2, "the key file of MongoDB and the cookie of RabbitMQ");
}
