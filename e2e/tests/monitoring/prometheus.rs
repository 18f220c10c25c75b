//! What Prometheus reads, read by its own tool.

use std::process::Command;

use e2e::{dashboard::workspace, not_run};

#[test]
fn the_configuration_of_prometheus_is_valid() {
    let file = workspace().join("prometheus/prometheus.yml");
    let Ok(output) = Command::new("promtool").args(["check", "config"]).arg(file).output() else {
        return not_run("promtool check config (install Prometheus: `apt install prometheus`)");
    };
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_job_but_prometheus_itself_has_limits() {
    for (file, discovery) in [("prometheus.yml", "dns_sd_configs"), ("kubernetes.yml", "kubernetes_sd_configs")] {
        let text = std::fs::read_to_string(workspace().join("prometheus").join(file)).unwrap();
        for job in text.split("- job_name: ").skip(1).filter(|job| !job.starts_with("prometheus\n")) {
            for limit in ["sample_limit", "target_limit", "label_limit", "label_value_length_limit", discovery] {
                assert!(job.contains(limit), "{file}, {}: no {limit}", job.lines().next().unwrap_or_default());
            }
        }
    }
}
