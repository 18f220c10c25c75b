//! `tutorial/monitor.sh`: the configurations that it makes of those for Compose, and what it says where it cannot start.

use std::{fs, net::TcpListener, os::unix::fs::symlink, process::Command};

use e2e::{dashboard::workspace, not_run};
use tempfile::TempDir;

use crate::alertmanager::programs::amtools;

fn script() -> Command {
    let mut script = Command::new(workspace().join("tutorial/monitor.sh"));
    script.env("EVENTS_OPS_ADDR", "127.0.0.1:9100").env("BOOKINGS_OPS_ADDR", "127.0.0.1:9101");
    script
}

/// Both files in a folder, with all that they name beside them.
fn files() -> (TempDir, String, String) {
    let output = script().arg("files").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let text = String::from_utf8(output.stdout).unwrap();
    let (prometheus, alertmanager) = text.split_once("\n---\n").unwrap();
    let folder = tempfile::tempdir().unwrap();
    for entry in fs::read_dir(workspace().join("prometheus")).unwrap().map(Result::unwrap) {
        if entry.path().is_dir() {
            symlink(entry.path(), folder.path().join(entry.file_name())).unwrap();
        }
    }
    symlink(workspace().join("prometheus/alertmanager/templates"), folder.path().join("templates")).unwrap();
    fs::write(folder.path().join("prometheus.yml"), prometheus).unwrap();
    fs::write(folder.path().join("alertmanager.yml"), alertmanager).unwrap();
    (folder, prometheus.to_owned(), alertmanager.to_owned())
}

/// Without the comments.
fn said(text: &str) -> Vec<&str> {
    text.lines().filter(|line| !line.trim_start().starts_with('#')).collect()
}

#[test]
fn its_prometheus_has_the_jobs_of_compose_and_asks_no_dns() {
    let (folder, made, _) = files();
    let compose = fs::read_to_string(workspace().join("prometheus/prometheus.yml")).unwrap();
    let jobs = |text: &str| said(text).into_iter().filter(|line| line.contains("job_name:")).count();
    assert_eq!(jobs(&made), jobs(&compose));
    assert!(said(&made).iter().all(|line| !line.contains("dns_sd")), "{made}");
    for (job, target) in [("eventservice", "127.0.0.1:9100"), ("bookingservice", "127.0.0.1:9101")] {
        let (_, job) = made.split_once(&format!("- job_name: {job}\n")).unwrap();
        let (_, line) = job.split_once("static_configs: ").unwrap();
        assert_eq!(line.lines().next().unwrap(), format!("[{{ targets: [\"{target}\"] }}]"));
    }
    let check = Command::new("promtool").args(["check", "config"]).arg(folder.path().join("prometheus.yml")).output();
    let Ok(output) = check else {
        return not_run("promtool check config of `make monitor` (install Prometheus: `apt install prometheus`)");
    };
    assert!(output.status.success(), "{}\n{made}", String::from_utf8_lossy(&output.stderr));
}

/// Each mail goes to the inbox, and all else where it goes in Compose.
#[test]
fn its_alertmanager_differs_only_in_addresses_and_in_where_mails_go() {
    let (folder, _, made) = files();
    let hooks: Vec<_> = said(&made).into_iter().filter(|line| line.contains("url: ")).collect();
    let paths = hooks.iter().map(|line| line.split('"').nth(1).unwrap().rsplit('/').next().unwrap());
    assert_eq!(paths.collect::<Vec<_>>(), ["mail", "alertmanager", "alertmanager", "watchdog"]);
    assert!(hooks.iter().all(|line| line.contains("http://127.0.0.1:")), "{hooks:?}");
    assert!(!made.contains("email_configs"), "{made}");
    let compose = fs::read_to_string(workspace().join("prometheus/alertmanager/alertmanager.yml")).unwrap();
    let routes = |text: &str| text.split("\nroute:\n").nth(1).unwrap().split("\nreceivers:").next().unwrap().to_owned();
    assert_eq!(routes(&made), routes(&compose));
    for amtool in amtools() {
        let output = Command::new(amtool).arg("check-config").arg(folder.path().join("alertmanager.yml")).output();
        let output = output.unwrap();
        assert!(output.status.success(), "{}\n{made}", String::from_utf8_lossy(&output.stderr));
    }
}

#[test]
fn where_no_service_runs_it_says_how_to_start_one() {
    if amtools().is_empty() || Command::new("prometheus").arg("--version").output().is_err() {
        return not_run("`make monitor` without a system (install Prometheus: `apt install prometheus`)");
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let output = script().env("EVENTS_OPS_ADDR", &address).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{complaint}");
    assert!(complaint.contains(&address) && complaint.contains("cargo run"), "{complaint}");
}

#[test]
fn where_a_program_is_missing_it_names_its_package() {
    let tools = tempfile::tempdir().unwrap();
    for tool in ["bash", "env", "dirname"] {
        let path = std::env::var_os("PATH").unwrap();
        let found = std::env::split_paths(&path).map(|folder| folder.join(tool)).find(|path| path.exists());
        symlink(found.unwrap(), tools.path().join(tool)).unwrap();
    }
    let output = script().env("PATH", tools.path()).output().unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), output.stdout.is_empty()), (Some(1), true), "{complaint}");
    assert!(complaint.contains("apt install prometheus"), "{complaint}");
}
