//! Places of a test's own: a namespace with the labels of `deploy/`, and a folder with a `kustomization.yaml`.

use std::fs;

use e2e::dashboard::workspace;
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    kubectl,
    kustomize::{named, overlay},
};

/// A namespace for what is only tried. It goes with everything in it.
pub(crate) struct Namespace(String);

impl Namespace {
    /// With the labels of `myevents`, above all those of Pod Security.
    pub(crate) fn new(what_for: &str) -> Self {
        let name = format!("myevents-{what_for}");
        kubectl::kubectl(&["delete", "namespace", &name, "--ignore-not-found"]); // what an earlier run has left
        let mut namespace = named(overlay("minikube"), "Namespace", kubectl::NAMESPACE).clone();
        namespace["metadata"]["name"] = json!(name);
        kubectl::with_input(&["apply", "--filename", "-"], &namespace.to_string());
        Self(name)
    }

    /// What the API server says to a manifest, without keeping it.
    pub(crate) fn try_apply(&self, manifest: &str) -> (bool, String) {
        let tried = ["--namespace", &self.0, "apply", "--dry-run=server", "--validate=strict", "--filename", "-"];
        kubectl::try_with_input(&tried, manifest)
    }

    /// The object as the API server would keep it.
    pub(crate) fn accepted(&self, manifest: &str) -> Value {
        let (well, said) = self.try_apply(manifest);
        assert!(well, "{said}\n{manifest}");
        assert!(!said.contains("Warning"), "{said}\n{manifest}");
        let tried = ["--namespace", &self.0, "create", "--dry-run=server", "--output", "json", "--filename", "-"];
        serde_json::from_str(&kubectl::with_input(&tried, manifest)).unwrap()
    }
}

impl Drop for Namespace {
    fn drop(&mut self) {
        let _ = kubectl::try_kubectl(&["delete", "namespace", &self.0, "--wait=false"]);
    }
}

/// A folder with one kustomization. kustomize wants relative paths, so it lies in this repository, where git does not look.
pub(crate) struct Kustomization(TempDir);

impl Kustomization {
    /// Of folders below `deploy/`, all of it in `namespace`.
    pub(crate) fn new(namespace: &str, resources: &[&str], components: &[&str]) -> Self {
        let target = workspace().join("target");
        fs::create_dir_all(&target).unwrap();
        let folder = tempfile::Builder::new().prefix("kustomization-").tempdir_in(target).unwrap();
        let from_here =
            |folders: &[&str]| folders.iter().map(|path| format!("../../deploy/{path}")).collect::<Vec<_>>();
        let all = json!({
            "apiVersion": "kustomize.config.k8s.io/v1beta1",
            "kind": "Kustomization",
            "namespace": namespace,
            "resources": from_here(resources),
            "components": from_here(components),
        });
        // JSON is YAML, too.
        fs::write(folder.path().join("kustomization.yaml"), all.to_string()).unwrap();
        Self(folder)
    }

    /// For `--kustomize`.
    pub(crate) fn path(&self) -> &str {
        self.0.path().to_str().unwrap()
    }
}
