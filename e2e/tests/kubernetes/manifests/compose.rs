//! What stands in `docker-compose.yml` and in `deploy/` must be the same. Each difference is listed here, with its reason.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    process::Command,
};

use e2e::{
    dashboard::{list, workspace},
    not_run,
};
use serde_json::Value;

use crate::kustomize::{OVERLAYS, Workload, named, of_kind, overlay, selects, text};

/// What it is called there, and here.
pub(crate) const NAMES: [(&str, &str); 12] = [
    ("eventservice", "eventservice"),
    ("bookingservice", "bookingservice"),
    ("page", "page"),
    ("load", "load"),
    ("mongo", "mongodb"),
    ("rabbitmq", "rabbitmq"),
    ("prometheus", "prometheus"),
    ("grafana", "grafana"),
    ("alertmanager", "alertmanager"),
    ("mailpit", "mailpit"),
    ("bridge", "bridge"),
    ("inbox", "inbox"),
];

/// Variables that differ, with their values there and here.
const VARIABLES: [(&str, &str, Option<&str>, Option<&str>); 11] = [
    // A pod that ends is taken out of its Services, but the nodes know that a moment later. Under Compose there are no nodes.
    ("eventservice", "SHUTDOWN_DELAY", None, Some("5")),
    ("bookingservice", "SHUTDOWN_DELAY", None, Some("5")),
    // There one name leads to all ports. Here the ops port has a Service of its own, with an answer for each pod.
    ("page", "EVENTS_OPS_URL", Some("http://events:9100"), Some("http://events-ops:9100")),
    ("page", "BOOKINGS_OPS_URL", Some("http://bookings:9100"), Some("http://bookings-ops:9100")),
    ("load", "EVENTS_OPS_URL", Some("http://events:9100"), Some("http://events-ops:9100")),
    ("load", "BOOKINGS_OPS_URL", Some("http://bookings:9100"), Some("http://bookings-ops:9100")),
    // The exporters run in Compose only.
    ("mongo", "MONGODB_EXPORTER_PASSWORD", Some("dev-only-exporter"), None),
    // Docker can hand a proxy to each container. Nobody does that here.
    ("grafana", "NO_PROXY", Some("*"), None),
    // There the container has a host name that stays. Here the node is called after its pod.
    ("rabbitmq", "POD_NAME", None, Some("metadata.name")),
    ("rabbitmq", "RABBITMQ_USE_LONGNAME", None, Some("true")),
    ("rabbitmq", "RABBITMQ_NODENAME", None, Some("rabbit@$(POD_NAME).rabbitmq-nodes")),
];

/// Arguments that are only here: a changed ConfigMap arrives by itself, where there whoever changes the file also says so; and who is
/// behind a proxy may be known by a URL with a path.
const ONLY_HERE: [&str; 2] = ["--config.auto-reload", "--web.route-prefix=/"];

/// The variables here of which an argument is made that is there as it is.
const FOR_ARGUMENTS: [&str; 2] = ["PROMETHEUS_URL", "ALERTMANAGER_URL"];

/// Compose's file with all its defaults, or `None` and a word where there is no Compose.
pub(crate) fn file() -> Option<Value> {
    let mut compose = Command::new("docker");
    compose.current_dir(workspace()).args(["compose", "--file", "docker-compose.yml", "--env-file", "/dev/null"]);
    let output = compose.args(["--profile", "*", "config", "--format", "json"]).output();
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        not_run(
            "docker-compose.yml beside deploy/ (needs Docker Compose 2.24 or newer: docs.docker.com/compose/install)",
        );
        return None;
    };
    Some(serde_json::from_slice(&output.stdout).unwrap())
}

/// The files of this repository that a container of Compose sees, by the path where it sees them.
pub(crate) fn files(compose: &Value, service: &str) -> BTreeMap<String, PathBuf> {
    let service = &compose["services"][service];
    let mut found = BTreeMap::new();
    for kind in ["secrets", "configs"] {
        for one in list(&service[kind]) {
            let source = text(&compose[kind][text(one, "/source")], "/file");
            found.insert(text(one, "/target").to_owned(), source.into());
        }
    }
    let mounted = list(&service["volumes"]).filter(|volume| volume["type"] == "bind");
    let mut folders: Vec<_> =
        mounted.map(|volume| (text(volume, "/target").to_owned(), PathBuf::from(text(volume, "/source")))).collect();
    while let Some((target, source)) = folders.pop() {
        for entry in source.read_dir().unwrap() {
            let path = entry.unwrap().path();
            let target = format!("{target}/{}", path.file_name().unwrap().to_string_lossy());
            if path.is_dir() {
                folders.push((target, path));
            } else {
                found.insert(target, path);
            }
        }
    }
    found
}

/// A Deployment or StatefulSet by name.
pub(crate) fn workload<'a>(objects: &'a [Value], name: &str) -> &'a Value {
    let mut all = of_kind(objects, "Deployment").chain(of_kind(objects, "StatefulSet"));
    all.find(|object| object["metadata"]["name"] == name).unwrap_or_else(|| panic!("no workload {name}"))
}

/// Calls `look` with each service of Compose and its container here.
fn each(look: impl Fn(&str, &Value, &Value)) {
    let Some(compose) = file() else { return };
    let all = overlay("minikube");
    for (service, name) in NAMES {
        look(service, &compose["services"][service], &workload(all, name)["spec"]["template"]["spec"]["containers"][0]);
    }
}

#[test]
fn each_container_has_the_image_of_compose() {
    each(|service, compose, container| assert_eq!(container["image"], compose["image"], "{service}"));
}

#[test]
fn no_overlay_names_an_image_that_compose_does_not_name() {
    let Some(compose) = file() else { return };
    let services = compose["services"].as_object().unwrap().values();
    let pins: BTreeSet<_> = services.map(|service| text(service, "/image")).collect();
    for workload in Workload::all() {
        for container in workload.all_containers() {
            assert!(pins.contains(text(container, "/image")), "{}: {}", workload.place(), container["image"]);
        }
    }
}

/// The variables of a container, with the values that they get.
fn variables(container: &Value) -> BTreeMap<String, String> {
    let value = |variable: &Value| match (variable["value"].as_str(), variable.pointer("/valueFrom/configMapKeyRef")) {
        (Some(value), _) => value.to_owned(),
        (None, Some(key)) => {
            let map = named(overlay("minikube"), "ConfigMap", text(key, "/name"));
            text(&map["data"], &format!("/{}", text(key, "/key"))).to_owned()
        }
        (None, None) => text(variable, "/valueFrom/fieldRef/fieldPath").to_owned(),
    };
    list(&container["env"]).map(|variable| (text(variable, "/name").to_owned(), value(variable))).collect()
}

#[test]
fn each_container_has_the_variables_of_compose() {
    each(|service, compose, container| {
        let mut here = variables(container);
        here.retain(|name, _| !FOR_ARGUMENTS.contains(&name.as_str()) || !compose["environment"][name].is_null());
        let there = compose["environment"].as_object().into_iter().flatten();
        let mut there: BTreeMap<_, _> =
            // Without a value: what `.env` has, and here an optional key of the Secret.
            there.map(|(name, value)| (name.clone(), value.as_str().unwrap_or_default().to_owned())).collect();
        for (_, name, only_there, only_here) in VARIABLES.iter().filter(|(of, ..)| *of == service) {
            assert_eq!(there.remove(*name).as_deref(), *only_there, "{service}, {name} in Compose");
            assert_eq!(here.remove(*name).as_deref(), *only_here, "{service}, {name} here");
        }
        assert_eq!(here, there, "{service}");
    });
}

#[test]
fn each_container_gets_the_arguments_of_compose() {
    each(|service, compose, container| {
        // `command` there replaces the image's own arguments, as `args` does here.
        assert!(compose["entrypoint"].is_null() && container["command"].is_null(), "{service}");
        // Two ConfigMaps are two folders here: one cannot be mounted into the other.
        let path = |argument: &Value| argument.as_str().unwrap().replace("/prometheus/config/", "/prometheus/");
        let variables = variables(container);
        let with_values = |argument: String| {
            let expand = |text: String, name: &&str| match variables.get(*name) {
                Some(value) => text.replace(&format!("$({name})"), value),
                None => text,
            };
            FOR_ARGUMENTS.iter().fold(argument, expand)
        };
        let mut here: Vec<_> = list(&container["args"]).map(path).map(with_values).collect();
        here.retain(|argument| !ONLY_HERE.contains(&argument.as_str()));
        assert_eq!(here, list(&compose["command"]).map(path).collect::<Vec<_>>(), "{service}");
    });
}

#[test]
fn each_container_has_the_limits_of_compose() {
    each(|service, compose, container| {
        let memory: u64 = text(compose, "/mem_limit").parse().unwrap();
        assert_eq!(text(container, "/resources/limits/memory"), format!("{}Mi", memory >> 20), "{service}");
        let cpu = match compose["cpus"].as_f64().unwrap() {
            whole if whole.fract() == 0.0 => whole.to_string(),
            part => format!("{}m", part * 1000.0),
        };
        assert_eq!(text(container, "/resources/limits/cpu"), cpu, "{service}");
    });
}

#[test]
fn each_container_opens_the_ports_that_compose_publishes() {
    each(|service, compose, container| {
        let here: BTreeSet<_> = list(&container["ports"]).map(|port| port["containerPort"].as_u64().unwrap()).collect();
        for port in list(&compose["ports"]) {
            assert!(here.contains(&port["target"].as_u64().unwrap()), "{service}: {port}, and here {here:?}");
        }
    });
}

#[test]
fn whoever_is_called_by_a_name_in_compose_has_a_service_of_that_name() {
    for overlay in OVERLAYS.map(overlay) {
        for (name, port, called) in [
            ("eventservice", 8181, "events"),
            ("bookingservice", 8181, "bookings"),
            ("mongodb", 27017, "mongo"),
            ("rabbitmq", 5672, "rabbitmq"),
            ("prometheus", 9090, "prometheus"),
            ("grafana", 3000, "grafana"),
            ("alertmanager", 9093, "alertmanager"),
            ("bridge", 8060, "bridge"),
        ] {
            let mut services = of_kind(overlay, "Service");
            let service = services.find(|service| service["metadata"]["name"] == called).unwrap();
            let mut ports = list(&service["spec"]["ports"]);
            let found = ports.find(|one| one["port"] == port).unwrap_or_else(|| panic!("{called} has no {port}"));
            let template = &workload(overlay, name)["spec"]["template"];
            assert!(selects(&service["spec"]["selector"], &template["metadata"]["labels"]), "{called} is not {name}");
            let mut open = list(&template["spec"]["containers"][0]["ports"]);
            let open = open.find(|one| one["name"] == found["targetPort"]).unwrap();
            assert_eq!(open["containerPort"], port, "{called}");
        }
    }
}
