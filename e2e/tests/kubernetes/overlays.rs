//! Every overlay and every component, before the API server: it checks each field, and keeps nothing (`--dry-run=server`).

use crate::{
    combinations::COMBINATIONS,
    kubectl::try_kubectl,
    kustomize::OVERLAYS,
    scratch::{Kustomization, Namespace},
};

/// The warnings are printed, too: a workload whose pods will be refused is only warned of.
fn accepted(what: &str, namespace: &str, kustomization: &Kustomization) {
    let path = kustomization.path();
    let tried = ["--namespace", namespace, "apply", "--dry-run=server", "--validate=strict", "--kustomize", path];
    let (well, said) = try_kubectl(&tried);
    assert!(!said.contains("ensure CRDs are installed"), "run `.ci/kubernetes/cluster.sh crds` before: {said}");
    assert!(well && !said.contains("Warning"), "{what}: {said}");
    let objects = said.lines().filter(|line| line.ends_with("(server dry run)")).count();
    assert!(objects >= 20, "{what}: only {objects} objects: {said}");
}

#[test]
fn every_overlay_is_accepted_without_a_warning() {
    let _namespace = Namespace::new("overlays");
    for name in OVERLAYS {
        let kustomization = Kustomization::new("myevents-overlays", &[&format!("overlays/{name}")], &[]);
        accepted(name, "myevents-overlays", &kustomization);
    }
}

#[test]
fn every_component_is_accepted_without_a_warning() {
    let _namespace = Namespace::new("components");
    for (resources, components) in COMBINATIONS {
        let kustomization = Kustomization::new("myevents-components", resources, components);
        accepted(&components.join(", "), "myevents-components", &kustomization);
    }
}
