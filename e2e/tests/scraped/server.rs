//! A Prometheus with short times: today's, with the flags that Compose gives it, or Debian's.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
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
    folder: TempDir,
}

impl Running {
    /// The lines of its log that are warnings or errors.
    pub(crate) fn complaints(&self) -> Vec<String> {
        let log = fs::read_to_string(self.folder.path().join("log")).unwrap();
        let lines = log.lines().map(str::to_owned);
        lines
            .filter(|line| {
                ["level=WARN", "level=ERROR", "level=warn", "level=error"].iter().any(|level| line.contains(level))
            })
            .collect()
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("Prometheus complained: {:#?}", self.complaints());
        }
    }
}

/// Today's, of `.ci/monitoring-tools`.
pub(crate) fn program() -> Option<PathBuf> {
    let found = workspace().join("target/tools/bin/prometheus");
    if !found.exists() {
        not_run("what today's Prometheus makes of a scrape (build it: .ci/monitoring-tools prometheus)");
        return None;
    }
    Some(found)
}

/// Debian's, which is the older one.
pub(crate) fn debians() -> Option<PathBuf> {
    let version = Command::new("prometheus").arg("--version").output();
    let old =
        version.is_ok_and(|said| String::from_utf8_lossy(&[said.stdout, said.stderr].concat()).contains("version 2."));
    if !old {
        not_run("what Debian's Prometheus makes of a scrape (on Debian 12: apt install prometheus)");
    }
    old.then(|| "prometheus".into())
}

/// As it stands in Compose's file.
pub(crate) fn features() -> String {
    let compose = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let line = compose.lines().find_map(|line| line.trim().strip_prefix("- --enable-feature="));
    format!("--enable-feature={}", line.unwrap())
}

/// Each target has labels of its own. `None` where there is no Prometheus of today.
pub(crate) async fn start(targets: &[Value]) -> Option<Running> {
    let configuration = json!({
        "global": {"scrape_interval": "500ms", "scrape_timeout": "500ms", "scrape_protocols": ["OpenMetricsText1.0.0"]},
        "scrape_configs": [{"job_name": "bookingservice", "static_configs": targets}],
    });
    Some(run(&program()?, &[&features(), LOOKBACK], &configuration).await)
}

/// One nobody else here gets.
fn port() -> u32 {
    static FREE: LazyLock<Mutex<Box<dyn Iterator<Item = u32> + Send>>> =
        LazyLock::new(|| Mutex::new(Box::new(ports::reserved())));
    FREE.lock().unwrap().next().expect("so many are free")
}

/// Runs such a program with a configuration, and waits until it is ready.
pub(crate) async fn run(program: &Path, flags: &[&str], configuration: &Value) -> Running {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("prometheus.yml");
    fs::write(&file, configuration.to_string()).unwrap(); // JSON is YAML, too
    let log = File::create(folder.path().join("log")).unwrap();
    let address = format!("127.0.0.1:{}", port());
    let mut command = Command::new(program);
    command.arg(format!("--config.file={}", file.display())).arg(format!("--web.listen-address={address}"));
    command.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display())).args(flags);
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let child = command.spawn().unwrap();
    let prometheus = Prometheus(Api::new(&format!("http://{address}")));
    let running = Running { prometheus, child, folder };
    eventually(STARTS, "Prometheus is ready", async || {
        // A client that finds nobody panics; a bare connection does not.
        tokio::net::TcpStream::connect(&address).await.ok()?;
        (running.prometheus.0.get("/-/ready").await.status == 200).then_some(())
    })
    .await;
    running
}
