//! What Prometheus reads, read by its own tools: by today's as it is, and by Debian's without what is new.

use std::{fs, path::Path};

use e2e::{
    dashboard::workspace,
    not_run,
    rules::{promtool, promtools, version},
};

/// What Prometheus 2 does not know, each on a line of its own.
const NEW: [&str; 3] = ["scrape_protocols:", "scrape_native_histograms:", "always_scrape_classic_histograms:"];

/// The configuration as this program, a Prometheus or a promtool, can read it.
pub(crate) fn readable_for(program: &Path, configuration: &str) -> String {
    let old = version(program).starts_with("2.");
    let lines = configuration.lines().filter(|line| !old || !NEW.iter().any(|key| line.trim_start().starts_with(key)));
    lines.map(|line| format!("{line}\n")).collect()
}

fn read(file: &str) -> String {
    fs::read_to_string(workspace().join("prometheus").join(file)).unwrap()
}

#[test]
fn the_configuration_of_prometheus_is_valid() {
    if promtools().is_empty() {
        return not_run("promtool check config (install Prometheus: `apt install prometheus`)");
    }
    for tool in promtools() {
        let folder = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(workspace().join("prometheus/rules"), folder.path().join("rules")).unwrap();
        let file = folder.path().join("prometheus.yml");
        fs::write(&file, readable_for(&tool, &read("prometheus.yml"))).unwrap();
        promtool(&tool, &["check", "config"], &[file]).unwrap_or_else(|cause| panic!("{cause}"));
    }
}

#[test]
fn every_job_but_prometheus_itself_has_limits() {
    for (file, discovery) in [("prometheus.yml", "dns_sd_configs"), ("kubernetes.yml", "kubernetes_sd_configs")] {
        for job in read(file).split("- job_name: ").skip(1).filter(|job| !job.starts_with("prometheus\n")) {
            for limit in ["sample_limit", "target_limit", "label_limit", "label_value_length_limit", discovery] {
                assert!(job.contains(limit), "{file}, {}: no {limit}", job.lines().next().unwrap_or_default());
            }
        }
    }
}

/// Without the first, native buckets are lost; without the second, those that panels and alerts ask for are.
#[test]
fn both_kinds_of_buckets_of_the_services_are_kept() {
    for (file, job) in
        [("prometheus.yml", "eventservice"), ("prometheus.yml", "bookingservice"), ("kubernetes.yml", "pods")]
    {
        let text = read(file);
        let (_, rest) = text.split_once(&format!("- job_name: {job}\n")).unwrap();
        let job_text = rest.split("- job_name: ").next().unwrap();
        for key in &NEW[1..] {
            assert!(job_text.contains(&format!("\n    {key} true")), "{file}, {job}: {key}");
        }
    }
}

#[test]
fn wherever_it_is_started_it_keeps_start_timestamps_and_exemplars() {
    for file in [
        "docker-compose.yml",
        "deploy/monitoring/prometheus/statefulset.yaml",
        "tutorial/by-hand.sh",
        "tutorial/monitor.sh",
        "e2e/tests/drills/watch.rs",
    ] {
        let text = fs::read_to_string(workspace().join(file)).unwrap();
        assert_eq!(text.matches("created-timestamp-zero-ingestion,exemplar-storage").count(), 1, "{file}");
    }
}
