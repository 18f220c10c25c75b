//! A Prometheus that scrapes scripted targets, with the flags that Compose gives it and with short times.

use std::{
    fs::{self, File},
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{Api, dashboard::workspace, eventually, not_run, ports, prometheus::Prometheus};
use serde_json::{Value, json};
use tempfile::TempDir;

const STARTS: Duration = Duration::from_secs(30);

/// How long the value of a series counts that has no newer one: here two seconds, there five minutes.
const LOOKBACK: &str = "--query.lookback-delta=2s";

/// It ends when it is dropped.
pub(crate) struct Running {
    pub(crate) prometheus: Prometheus,
    child: Child,
    _folder: TempDir,
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Today's, of `.ci/monitoring-tools`.
fn program() -> Option<PathBuf> {
    let found = workspace().join("target/tools/bin/prometheus");
    if !found.exists() {
        not_run("what today's Prometheus makes of a scrape (build it: .ci/monitoring-tools prometheus)");
        return None;
    }
    Some(found)
}

/// As it stands in Compose's file.
fn features() -> String {
    let compose = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let line = compose.lines().find_map(|line| line.trim().strip_prefix("- --enable-feature="));
    format!("--enable-feature={}", line.unwrap())
}

/// Each target has labels of its own. `None` where there is no Prometheus of today.
pub(crate) async fn start(targets: &[Value]) -> Option<Running> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    // JSON is YAML, too.
    let configuration = json!({
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "scrape_protocols": ["OpenMetricsText1.0.0"]},
        "scrape_configs": [{"job_name": "bookingservice", "static_configs": targets}],
    });
    fs::write(&file, configuration.to_string()).unwrap();
    let log = File::create(folder.path().join("log")).unwrap();
    let address = format!("127.0.0.1:{}", ports::reserved().next().unwrap());
    let mut command = Command::new(program()?);
    command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={address}"));
    command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
    command.args([&features(), LOOKBACK]).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let child = command.spawn().unwrap();
    let prometheus = Prometheus(Api::new(&format!("http://{address}")));
    let running = Running { prometheus, child, _folder: folder };
    eventually(STARTS, "Prometheus is ready", async || {
        // A client that finds nobody panics; a bare connection does not.
        tokio::net::TcpStream::connect(&address).await.ok()?;
        (running.prometheus.0.get("/-/ready").await.status == 200).then_some(())
    })
    .await;
    Some(running)
}
