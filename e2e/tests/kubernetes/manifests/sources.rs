//! One source: what Compose mounts, Kubernetes gets from the same files.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

use e2e::dashboard::{list, workspace};
use serde_json::{Map, Value, json};

use super::{compose, files};
use crate::{
    kubectl,
    kustomize::{OVERLAYS, named, of_kind, overlay, text},
};

/// All annotations of an object together, in bytes. `kubectl apply` writes the whole object into one.
const ANNOTATIONS_END_AT: usize = 262_144;

/// The files below a folder of this repository, with their paths in it.
fn below(folder: &str) -> Vec<PathBuf> {
    let mut found = vec![];
    let mut folders = vec![workspace().join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display())) {
            let path = entry.unwrap().path();
            match name(&path).as_str() {
                ".git" | "target" => {}
                _ if path.is_dir() => folders.push(path),
                _ => found.push(path),
            }
        }
    }
    found.sort();
    found
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

/// The files of a folder by name, without the one that kustomize reads.
fn contents(folder: &str) -> BTreeMap<String, String> {
    let files = below(folder).into_iter().filter(|path| name(path) != "kustomization.yaml");
    files.map(|path| (name(&path), fs::read_to_string(path).unwrap())).collect()
}

/// Files as a Secret has them: in base64, by name.
fn encoded(paths: impl Iterator<Item = PathBuf>) -> Value {
    let from: Vec<_> = paths.map(|path| format!("--from-file={}", path.display())).collect();
    let from = from.iter().map(String::as_str);
    let create = ["create", "secret", "generic", "any", "--dry-run=client"];
    kubectl::json(&create.into_iter().chain(from).collect::<Vec<_>>())["data"].take()
}

#[test]
fn every_dashboard_is_a_config_map_of_its_own_and_grafana_has_all_of_them() {
    for (folder, prefix, at_least) in
        [("grafana/dashboards", "grafana-dashboard-", 7), ("grafana/exporters", "grafana-exporters-", 3)]
    {
        let dashboards = contents(folder);
        assert!(dashboards.len() >= at_least, "{dashboards:?}");
        for name in OVERLAYS {
            let all = overlay(name);
            for (file, content) in &dashboards {
                let map = format!("{prefix}{}", file.trim_end_matches(".json"));
                assert_eq!(named(all, "ConfigMap", &map)["data"], json!({file: content}), "{map} in {name}");
            }
            let maps = of_kind(all, "ConfigMap").filter(|map| text(map, "/metadata/name").starts_with(prefix));
            assert_eq!(maps.count(), dashboards.len(), "{name}");
        }
    }
}

#[test]
fn grafana_finds_the_same_folders_as_in_the_repository() {
    let right: BTreeMap<_, _> = [
        ("grafana/dashboards", "/etc/myevents/dashboards"),
        ("grafana/exporters", "/etc/myevents/exporters"),
        ("grafana/yours", "/etc/myevents/yours"),
        ("grafana/provisioning/alerting", "/etc/grafana/provisioning/alerting"),
        ("grafana/provisioning/dashboards", "/etc/grafana/provisioning/dashboards"),
        ("grafana/provisioning/datasources", "/etc/grafana/provisioning/datasources"),
    ]
    .into_iter()
    .flat_map(|(folder, path)| contents(folder).into_iter().map(move |(file, text)| (format!("{path}/{file}"), text)))
    .collect();
    for folder in fs::read_dir(workspace().join("grafana/provisioning")).unwrap() {
        let begin = format!("/etc/grafana/provisioning/{}/", name(&folder.unwrap().path()));
        assert!(right.keys().any(|path| path.starts_with(&begin)), "this test does not know of {begin}");
    }
    for name in OVERLAYS {
        let all = overlay(name);
        let pod = &named(all, "StatefulSet", "grafana")["spec"]["template"]["spec"];
        let mut found = files::of_container(all, pod, &pod["containers"][0]);
        found.retain(|path, _| !path.starts_with("/run/secrets/"));
        assert_eq!(found.keys().collect::<Vec<_>>(), right.keys().collect::<Vec<_>>(), "{name}");
        assert_eq!(found, right, "{name}");
    }
    // Where the providers look.
    let providers = &right["/etc/grafana/provisioning/dashboards/myevents.yml"];
    let paths: BTreeSet<_> = providers.lines().filter_map(|line| line.trim().strip_prefix("path: ")).collect();
    let paths: BTreeSet<_> = paths.into_iter().map(|path| path.split(' ').next().unwrap()).collect();
    assert_eq!(paths, ["/etc/myevents/dashboards", "/etc/myevents/exporters", "/etc/myevents/yours"].into());
}

#[test]
fn each_object_fits_into_the_annotation_of_kubectl_apply() {
    for name in OVERLAYS {
        for object in overlay(name) {
            let size = object.to_string().len();
            assert!(size < ANNOTATIONS_END_AT, "{}: {size} bytes", text(object, "/metadata/name"));
        }
    }
}

#[test]
fn the_development_secret_has_each_file_as_a_key_and_production_has_none() {
    let files = below("secrets/dev").into_iter().filter(|path| name(path) != "kustomization.yaml");
    let right = encoded(files);
    for name in ["minikube", "k3s"] {
        let all = overlay(name);
        assert_eq!(named(all, "Secret", "myevents")["data"], right, "{name}");
        assert_eq!(of_kind(all, "Secret").count(), 1, "{name}");
    }
    assert_eq!(of_kind(overlay("production"), "Secret").count(), 0);
}

#[test]
fn prometheus_and_mongodb_get_their_files_under_names_without_a_hash() {
    let read = |path| fs::read_to_string(workspace().join(path)).unwrap();
    let (prometheus, mongodb) = (read("prometheus/kubernetes.yml"), read("mongodb/users.js"));
    let rules =
        below("prometheus/rules").into_iter().map(|path| (name(&path), fs::read_to_string(&path).unwrap().into()));
    let rules: Map<_, _> = rules.collect();
    assert!(rules.len() > 10, "only {} files of rules", rules.len());
    for name in OVERLAYS {
        let all = overlay(name);
        assert_eq!(named(all, "ConfigMap", "prometheus")["data"], json!({"prometheus.yml": prometheus}), "{name}");
        assert_eq!(named(all, "ConfigMap", "prometheus-rules")["data"], json!(rules), "{name}");
        assert_eq!(named(all, "ConfigMap", "mongo-users")["data"], json!({"users.js": mongodb}), "{name}");
        // A file that is mounted by itself would never change.
        let pod = &named(all, "StatefulSet", "prometheus")["spec"]["template"]["spec"];
        for (volume, path) in [("config", "/etc/prometheus/config"), ("rules", "/etc/prometheus/rules")] {
            let mut mounts = list(&pod["containers"][0]["volumeMounts"]);
            let folder = mounts.find(|mount| mount["name"] == volume).unwrap();
            assert_eq!((text(folder, "/mountPath"), folder.get("subPath")), (path, None), "{name}");
        }
    }
}

/// It expands no variables, so a real mail server stands in a file of one's own.
#[test]
fn alertmanager_gets_its_files_and_in_production_its_configuration_from_the_secret() {
    let files = below("prometheus/alertmanager").into_iter().filter(|path| name(path) != "kustomization.yaml");
    let folder = workspace().join("prometheus/alertmanager");
    let path = |file: &PathBuf| format!("/etc/alertmanager/{}", file.strip_prefix(&folder).unwrap().display());
    let right: BTreeMap<_, _> = files.map(|file| (path(&file), fs::read_to_string(file).unwrap())).collect();
    assert!(right.len() >= 3, "{right:?}");
    for name in OVERLAYS {
        let all = overlay(name);
        let pod = &named(all, "StatefulSet", "alertmanager")["spec"]["template"]["spec"];
        let mut found = files::of_container(all, pod, &pod["containers"][0]);
        let mut right = right.clone();
        if name == "production" {
            for of_the_secret in ["/etc/alertmanager/alertmanager.yml", "/run/secrets/smtp-password"] {
                assert_eq!(found.remove(of_the_secret).as_deref(), Some(""), "{of_the_secret}");
            }
            right.remove("/etc/alertmanager/alertmanager.yml");
        }
        assert_eq!(found, right, "{name}");
    }
}

#[test]
fn each_container_finds_what_it_finds_in_compose() {
    let Some(compose) = compose::file() else { return };
    let all = overlay("minikube");
    let mut compared = 0;
    for (service, workload) in compose::NAMES {
        let pod = &compose::workload(all, workload)["spec"]["template"]["spec"];
        let found = files::of_container(all, pod, &pod["containers"][0]);
        for (path, source) in compose::files(&compose, service) {
            if service == "prometheus" && path.contains("/alertmanager/") {
                continue; // it lies in the mounted folder, and is Alertmanager's
            }
            match (service, name(&source).as_str()) {
                ("prometheus", "prometheus.yml") => continue, // kubernetes.yml is in its place
                ("prometheus", "kubernetes.yml") | (_, "kustomization.yaml") => continue, // they lie in the mounted folder
                ("prometheus", _) if !path.starts_with("/etc/prometheus/rules/") => continue, // and so do tests, and what others read
                _ => compared += 1,
            }
            let content = found.get(&path).unwrap_or_else(|| panic!("{service}: no {path}"));
            let of_a_config_map = fs::read_to_string(&source).unwrap();
            let same = *content == of_a_config_map || encoded([source.clone()].into_iter())[name(&source)] == *content;
            assert!(same, "{service}: {path} is not {}", source.display());
        }
    }
    assert!(compared >= 12, "only {compared} files");
}

#[test]
fn grafana_reads_no_file_of_kustomize() {
    for path in below("grafana/provisioning") {
        assert_ne!(name(&path), "kustomization.yaml", "{} is read by Grafana as its own", path.display());
    }
}

#[test]
fn no_such_file_stands_anywhere_a_second_time() {
    let sources = ["grafana", "prometheus", "mongodb", "secrets/dev"].into_iter().flat_map(below);
    let sources: BTreeMap<_, _> = sources.map(|path| (fs::read(&path).unwrap(), path)).collect();
    for path in below("") {
        let source = sources.get(&fs::read(&path).unwrap());
        assert!(source.is_none_or(|source| *source == path), "{} is {source:?} again", path.display());
    }
    for path in below("deploy") {
        let text = fs::read_to_string(&path).unwrap();
        for beginning in ["\ndata:", "\nstringData:", "scrape_configs:"] {
            assert!(!text.contains(beginning), "{}: {beginning} belongs into a file of its own", path.display());
        }
    }
}
