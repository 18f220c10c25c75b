//! An Alertmanager with the project's own configuration, but for the addresses of its receivers and the length of its waits.

use std::{
    fs,
    os::unix::fs::symlink,
    path::Path,
    process::{Child, Command, Stdio},
};

use e2e::{Api, dashboard::list};
use serde_json::Value;
use tempfile::TempDir;

use super::{files, receivers::Receivers};
use crate::listening;

/// The address that it is given as its own; links begin with it.
pub(crate) const EXTERNAL: &str = "http://alertmanager.example:9093";

/// What stands in the file, and what it is here: every wait in the same proportion.
const WAITS: [(&str, &str); 5] = [
    ("group_wait: 30s", "group_wait: 600ms"),
    ("group_wait: 5s", "group_wait: 300ms"),
    ("group_interval: 5m", "group_interval: 1s"),
    ("group_interval: 20s", "group_interval: 400ms"),
    ("repeat_interval: 50s", "repeat_interval: 1s"),
];

/// It ends with the test.
pub(crate) struct Running {
    child: Child,
    pub(crate) api: Api,
    pub(crate) receivers: Receivers,
    _folder: TempDir,
}

impl Running {
    pub(crate) fn start(program: &Path) -> Self {
        Self::with(program, |text| text)
    }

    /// With a configuration that `change` makes of it.
    pub(crate) fn with(program: &Path, change: impl FnOnce(String) -> String) -> Self {
        let receivers = Receivers::start();
        let folder = tempfile::tempdir().unwrap();
        symlink(files::configuration().with_file_name("templates"), folder.path().join("templates")).unwrap();
        let mut text = files::text();
        let addresses = [
            ("mailpit:1025", receivers.smtp.to_string()),
            ("http://bridge:8060", format!("http://{}", receivers.http)),
            ("http://inbox:8026", format!("http://{}", receivers.http)),
        ];
        let waits = WAITS.map(|(long, short)| (long, short.to_owned()));
        for (there, here) in addresses.into_iter().chain(waits) {
            assert!(text.contains(there), "alertmanager.yml has no {there}");
            text = text.replace(there, &here);
        }
        fs::write(folder.path().join("alertmanager.yml"), change(text)).unwrap();

        let mut child = Command::new(program)
            .current_dir(folder.path())
            .args(["--config.file=alertmanager.yml", "--storage.path=data", "--cluster.listen-address="])
            .args(["--web.listen-address=127.0.0.1:0", "--log.level=info", &format!("--web.external-url={EXTERNAL}/")])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let address = listening::address(&mut child).unwrap_or_else(|said| panic!("it does not start:\n{said}"));
        Self { child, api: Api::new(&format!("http://{address}")), receivers, _folder: folder }
    }

    /// All of them at once, as Prometheus sends what it finds in one round.
    pub(crate) async fn receives(&self, alerts: Value) {
        self.api.post("/api/v2/alerts", &alerts).await.expect(200);
    }

    /// The names, with their instance where they have one, of the alerts that it mutes.
    pub(crate) async fn muted(&self) -> Vec<String> {
        let alerts = self.api.get("/api/v2/alerts").await.expect(200).json();
        let muted = list(&alerts).filter(|alert| list(&alert["status"]["inhibitedBy"]).next().is_some());
        let mut names: Vec<_> = muted.map(|alert| name(&alert["labels"])).collect();
        names.sort();
        names
    }
}

/// `MyEventsTargetDown 1`.
pub(crate) fn name(labels: &Value) -> String {
    let label = |name: &str| labels[name].as_str().unwrap_or_default();
    format!("{} {}", label("alertname"), label("instance")).trim_end().to_owned()
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
