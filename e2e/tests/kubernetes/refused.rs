//! Manifests that look right and are wrong, as books and articles have them. Each is in `wrong/`; here is who refuses it, with which
//! words, and what makes it right. What only relabelling shows is in `../monitoring/discovery.rs`.

use std::{env, fs, path::Path, process::Command};

use e2e::dashboard::workspace;
use serde_json::{Value, json};

use crate::{
    kubectl::{kubectl, with_input},
    kustomize::text,
    scratch::Namespace,
};

const FOLDER: &str = "e2e/tests/kubernetes/wrong";

fn read(file: &str) -> String {
    fs::read_to_string(workspace().join(FOLDER).join(file)).unwrap()
}

/// The same with something right in the place of something wrong.
fn corrected(manifest: &str, wrong: &str, right: &str) -> String {
    assert_eq!(manifest.matches(wrong).count(), 1, "{wrong:?} in {manifest}");
    manifest.replace(wrong, right)
}

/// Fails where the API server accepts it, or says something else.
fn refused(namespace: &Namespace, manifest: &str, words: &str) {
    let (well, said) = namespace.try_apply(manifest);
    assert!(!well && said.contains(words), "not {words:?}, but: {said}\n{manifest}");
}

/// The configuration in a ConfigMap, read by Prometheus' own tool.
fn promtool(config_map: &str) -> (bool, String) {
    let nothing = ["patch", "--local", "--type", "merge", "--patch", "{}", "--output", "json", "--filename", "-"];
    let object: Value = serde_json::from_str(&with_input(&nothing, config_map)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, text(&object["data"], "/prometheus.yml")).unwrap();
    check(&file)
}

fn check(file: &Path) -> (bool, String) {
    // Today's, where `.ci/monitoring-tools promtool` has built it: Debian's knows nothing of Kubernetes.
    let path = format!("{}:{}", workspace().join("target/tools/bin").display(), env::var("PATH").unwrap());
    let checked = Command::new("promtool").env("PATH", path).args(["check", "config"]).arg(file).output();
    let output = checked.expect("promtool can be run: .ci/monitoring-tools promtool");
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert!(!said.contains("kubernetes_sd_configs not found"), "run `.ci/monitoring-tools promtool` before: {said}");
    (output.status.success(), said.into_owned())
}

#[test]
fn our_own_configuration_is_valid() {
    let (well, said) = check(&workspace().join("prometheus/kubernetes.yml"));
    assert!(well, "{said}");
}

#[test]
fn an_unknown_field_of_prometheus_is_accepted_by_kubernetes_and_refused_by_prometheus() {
    let namespace = Namespace::new("field");
    let wrong = read("02-scrape-config.yaml");
    namespace.accepted(&wrong);
    let (well, said) = promtool(&wrong);
    assert!(!well && said.contains("field scrape_config not found in type config.plain"), "{said}");
    let (well, said) = promtool(&corrected(&wrong, "scrape_config: 15s", "scrape_interval: 15s"));
    assert!(well, "{said}");
}

#[test]
fn a_name_outside_of_the_metadata_is_none() {
    let namespace = Namespace::new("name");
    let wrong = read("03-name-at-the-top.yaml");
    refused(&namespace, &wrong, "resource name may not be empty");
    // Where it has its name, too, what is left over is named.
    let both = corrected(&wrong, "data:", "metadata:\n  name: prometheus\ndata:");
    refused(&namespace, &both, "strict decoding error: unknown field \"name\"");
    namespace.accepted(&corrected(&wrong, "\nname: prometheus", "\nmetadata:\n  name: prometheus"));
}

#[test]
fn a_stateful_set_is_of_apps_v1_and_selects_its_own_pods() {
    let namespace = Namespace::new("beta");
    let wrong = read("04-beta-without-selector.yaml");
    refused(&namespace, &wrong, "no matches for kind \"StatefulSet\" in version \"apps/v1beta1\"");
    let stable = corrected(&wrong, "apiVersion: apps/v1beta1", "apiVersion: apps/v1");
    refused(&namespace, &stable, "spec.selector: Required value");
    let of_others =
        corrected(&stable, "  serviceName:", "  selector: { matchLabels: { app: grafana } }\n  serviceName:");
    refused(&namespace, &of_others, "`selector` does not match template `labels`");
    let right = restricted(&corrected(&of_others, "app: grafana", "app: prometheus"));
    namespace.accepted(&right);
}

#[test]
fn annotations_are_strings() {
    let namespace = Namespace::new("quotes");
    let wrong = read("05-annotations-without-quotes.yaml");
    let of = "into Go struct field ObjectMeta.spec.template.metadata.annotations of type string";
    refused(&namespace, &wrong, &format!("json: cannot unmarshal number {of}"));
    let half = corrected(&wrong, "port: 9100", "port: \"9100\"");
    refused(&namespace, &half, &format!("json: cannot unmarshal bool {of}"));
    namespace.accepted(&restricted(&corrected(&half, "scrape: true", "scrape: \"true\"")));
}

#[test]
fn relabelling_belongs_to_a_job() {
    let namespace = Namespace::new("column");
    let wrong = read("06-relabelling-beside-the-job.yaml");
    namespace.accepted(&wrong);
    let (well, said) = promtool(&wrong);
    assert!(!well && said.contains("did not find expected '-' indicator"), "{said}");
    let (well, said) = promtool(&corrected(&wrong, "      relabel_configs:", "        relabel_configs:"));
    assert!(well, "{said}");
}

#[test]
fn a_storage_class_in_an_annotation_is_accepted_and_has_no_effect() {
    let namespace = Namespace::new("class");
    let wrong = read("07-storage-class-as-annotation.yaml");
    let class = |manifest: &str| namespace.accepted(manifest)["spec"]["storageClassName"].clone();
    let annotation = "  annotations:\n    volume.alpha.kubernetes.io/storage-class: fast\n";
    let without = corrected(&wrong, annotation, "");
    assert_eq!(class(&wrong), class(&without), "that of the cluster, as without it");
    assert_ne!(class(&wrong), "fast");
    assert_eq!(class(&corrected(&without, "spec:\n", "spec:\n  storageClassName: fast\n")), "fast");
}

#[test]
fn none_of_the_betas_of_a_deployment_is_there() {
    let namespace = Namespace::new("betas");
    let wrong = read("23-betas.yaml");
    for beta in ["apps/v1beta1", "apps/v1beta2", "extensions/v1beta1"] {
        let words = format!("no matches for kind \"Deployment\" in version \"{beta}\"");
        refused(&namespace, &wrong.replace("apps/v1beta2", beta), &words);
    }
    let versions = kubectl(&["api-versions"]);
    assert!(versions.lines().any(|line| line == "apps/v1") && !versions.contains("apps/v1beta"), "{versions}");
    namespace.accepted(&restricted(&wrong.replace("apps/v1beta2", "apps/v1")));
}

#[test]
fn a_pod_that_may_be_root_is_not_let_in() {
    let namespace = Namespace::new("root");
    let wrong = read("restricted.yaml");
    refused(&namespace, &wrong, "pods \"eventservice\" is forbidden: violates PodSecurity \"restricted:latest\"");
    for words in [
        "runAsNonRoot != true",
        "unrestricted capabilities",
        "allowPrivilegeEscalation != false",
        "must set securityContext.seccompProfile.type to \"RuntimeDefault\"",
    ] {
        refused(&namespace, &wrong, words);
    }
    namespace.accepted(&restricted(&wrong));
    // The API server only warns of the workload; its pods never start.
    let workload = read("23-betas.yaml").replace("apps/v1beta2", "apps/v1");
    let (well, said) = namespace.try_apply(&workload);
    assert!(well && said.contains("Warning: would violate PodSecurity \"restricted:latest\""), "{said}");
}

/// The same with what the namespace asks of every container.
fn restricted(manifest: &str) -> String {
    let context = json!({
        "allowPrivilegeEscalation": false,
        "capabilities": {"drop": ["ALL"]},
        "runAsNonRoot": true,
        "seccompProfile": {"type": "RuntimeDefault"},
    });
    let container = manifest.lines().find(|line| line.trim_start().starts_with("- name: ")).unwrap();
    let column = " ".repeat(container.find('-').unwrap() + 2);
    corrected(manifest, container, &format!("{container}\n{column}securityContext: {context}"))
}
