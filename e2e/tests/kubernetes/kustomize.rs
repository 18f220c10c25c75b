//! What kustomize makes of `deploy/`, as JSON. kubectl has kustomize in it and needs no cluster for this, so no YAML is read here.

use std::{collections::BTreeMap, sync::LazyLock};

use e2e::dashboard::list;
use serde_json::{Deserializer, Value};

use crate::kubectl::kubectl;

/// What people apply.
pub(crate) const OVERLAYS: [&str; 3] = ["minikube", "k3s", "production"];

/// What runs pods.
const WORKLOADS: [&str; 3] = ["Deployment", "StatefulSet", "Job"];

/// Global, since all tests look at the same files, and reading them takes a second.
static READ: LazyLock<BTreeMap<&str, Vec<Value>>> =
    LazyLock::new(|| OVERLAYS.map(|name| (name, objects(&format!("deploy/overlays/{name}")))).into());

/// All objects of `deploy/overlays/NAME`.
pub(crate) fn overlay(name: &str) -> &'static [Value] {
    &READ[name]
}

/// All objects of a folder with a `kustomization.yaml`.
pub(crate) fn objects(folder: &str) -> Vec<Value> {
    // A patch that changes nothing prints what it is given, also custom resources.
    let nothing = ["patch", "--local", "--type", "merge", "--patch", "{}", "--output", "json", "--kustomize", folder];
    let all: Result<Vec<Value>, _> = Deserializer::from_str(&kubectl(&nothing)).into_iter().collect();
    let mut all = all.unwrap_or_else(|cause| panic!("{folder}: {cause}"));
    assert!(!all.is_empty(), "{folder}: nothing");
    // kustomize breaks long lines of base64, and the API server joins them.
    for secret in all.iter_mut().filter(|object| object["kind"] == "Secret") {
        for value in secret["data"].as_object_mut().unwrap().values_mut() {
            *value = value.as_str().unwrap().replace('\n', "").into();
        }
    }
    all
}

/// The text at a JSON pointer, or nothing.
pub(crate) fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
}

/// The objects of one kind.
pub(crate) fn of_kind<'a>(objects: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    objects.iter().filter(move |object| object["kind"] == kind)
}

/// An object by kind and name.
pub(crate) fn named<'a>(objects: &'a [Value], kind: &str, name: &str) -> &'a Value {
    let found = objects.iter().find(|object| object["kind"] == kind && object["metadata"]["name"] == name);
    found.unwrap_or_else(|| panic!("there is no {kind} {name}"))
}

/// Whether these are labels of that object, as a selector asks.
pub(crate) fn selects(selector: &Value, labels: &Value) -> bool {
    selector.as_object().unwrap().iter().all(|(label, value)| labels[label] == *value)
}

/// A Deployment, StatefulSet or Job of an overlay.
pub(crate) struct Workload {
    pub(crate) overlay: &'static str,
    pub(crate) json: &'static Value,
}

impl Workload {
    /// All that run pods, of all overlays.
    pub(crate) fn all() -> Vec<Self> {
        let of = |name: &'static str| {
            let runs = overlay(name).iter().filter(|object| WORKLOADS.iter().any(|kind| object["kind"] == *kind));
            runs.map(move |json| Self { overlay: name, json })
        };
        let all: Vec<_> = OVERLAYS.into_iter().flat_map(of).collect();
        assert!(all.len() >= 20, "only {} workloads", all.len());
        all
    }

    pub(crate) fn name(&self) -> &str {
        text(self.json, "/metadata/name")
    }

    /// For messages.
    pub(crate) fn place(&self) -> String {
        format!("{} {} in {}", text(self.json, "/kind"), self.name(), self.overlay)
    }

    /// Its pods: labels and annotations.
    pub(crate) fn pod(&self) -> &Value {
        &self.json["spec"]["template"]["metadata"]
    }

    /// What its pods are made of.
    pub(crate) fn spec(&self) -> &Value {
        &self.json["spec"]["template"]["spec"]
    }

    /// Those that run as long as the pod does.
    pub(crate) fn containers(&self) -> impl Iterator<Item = &Value> {
        list(&self.spec()["containers"])
    }

    /// Those that run first, and these.
    pub(crate) fn all_containers(&self) -> impl Iterator<Item = &Value> {
        list(&self.spec()["initContainers"]).chain(self.containers())
    }
}
