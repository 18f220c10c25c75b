//! Pods as an API server would list them for Prometheus, and a Prometheus that reads them from a file instead: then its
//! relabelling can be seen without a cluster. (Debian's Prometheus cannot ask an API server at all.)

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{Api, dashboard::list, eventually, not_run};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{listening, prometheus::readable_for};

/// Prometheus collects what it discovers, and acts on it every five seconds.
const DISCOVERED: Duration = Duration::from_secs(30);

/// What the API server knows of a pod.
#[derive(Clone, Default)]
pub(crate) struct Pod {
    pub(crate) name: &'static str,
    pub(crate) address: &'static str,
    pub(crate) phase: &'static str,
    pub(crate) labels: &'static [(&'static str, &'static str)],
    pub(crate) annotations: &'static [(&'static str, &'static str)],
    /// Those of its one container.
    pub(crate) ports: &'static [(&'static str, u16)],
    /// Whether a container without ports ran before.
    pub(crate) init: bool,
}

impl Pod {
    /// One for each port, and one for each container without ports, as `kubernetes_sd_configs` with `role: pod` makes them.
    fn targets(&self) -> Vec<Value> {
        let mut all: Vec<_> = self
            .ports
            .iter()
            .map(|(name, port)| {
                self.target(format!("{}:{port}", self.address), &[("port_name", name), ("init", "false")])
            })
            .collect();
        if self.ports.is_empty() {
            all.push(self.target(self.address.to_owned(), &[("init", "false")]));
        }
        if self.init {
            all.push(self.target(self.address.to_owned(), &[("init", "true")]));
        }
        all
    }

    fn target(&self, address: String, container: &[(&str, &str)]) -> Value {
        let own = [("namespace", "myevents"), ("pod_name", self.name), ("pod_phase", self.phase)];
        let meta = |kind: &str, name: &str| {
            let name = name.replace(|c: char| !c.is_ascii_alphanumeric(), "_");
            format!("__meta_kubernetes_{kind}{name}")
        };
        let of = |kind: &'static str, all: &[(&str, &str)]| -> BTreeMap<_, _> {
            all.iter().map(|(name, value)| (meta(kind, name), json!(value))).collect()
        };
        let mut labels = of("", &own);
        labels.extend(of("pod_container_", container));
        labels.extend(of("pod_label_", self.labels));
        labels.extend(of("pod_annotation_", self.annotations));
        json!({"targets": [address], "labels": labels})
    }
}

/// The configuration with the pods in the place of each `kubernetes_sd_configs`; only those that its `label:` selects, where it does.
pub(crate) fn with_pods(configuration: &str, pods: &[Pod]) -> String {
    let column = |line: &str| line.len() - line.trim_start().len();
    let mut made = String::new();
    let mut lines = configuration.lines().peekable();
    while let Some(line) = lines.next() {
        if line.trim() != "kubernetes_sd_configs:" {
            made = made + line + "\n";
            continue;
        }
        let mut selected = "";
        while let Some(inner) = lines.next_if(|next| column(next) > column(line)) {
            if let Some((_, rest)) = inner.split_once("label: ") {
                selected = rest.split([' ', '}']).next().unwrap();
            }
        }
        let wanted = |pod: &&Pod| selected.is_empty() || pod.labels.iter().any(|(k, v)| format!("{k}={v}") == selected);
        let targets: Vec<_> = pods.iter().filter(wanted).flat_map(Pod::targets).collect();
        made += &format!("{}static_configs: {}\n", &line[..column(line)], json!(targets));
    }
    made
}

/// A target that is asked, and how.
#[derive(Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(crate) struct Target {
    pub(crate) url: String,
    pub(crate) labels: BTreeMap<String, String>,
}

/// A Prometheus on a file; dropping it ends it.
struct Running {
    child: Child,
    api: Api,
    _folder: TempDir,
}

impl Running {
    /// `None` and a word where it is not installed.
    fn start(configuration: &str) -> Option<Self> {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("prometheus.yml");
        let mut prometheus = Command::new("prometheus");
        prometheus.arg(format!("--config.file={}", file.display()));
        prometheus.arg(format!("--storage.tsdb.path={}", folder.path().join("data").display()));
        prometheus.args(["--web.listen-address=127.0.0.1:0", "--log.level=info"]).stderr(Stdio::piped());
        if Command::new("prometheus").arg("--version").output().is_err() {
            not_run("relabelling of pods (install Prometheus: `apt install prometheus`)");
            return None;
        }
        fs::write(&file, readable_for(Path::new("prometheus"), configuration)).unwrap();
        let mut child = prometheus.spawn().unwrap();
        let address =
            listening::address(&mut child).unwrap_or_else(|said| panic!("it does not start:\n{said}\n{configuration}"));
        Some(Self { child, api: Api::new(&format!("http://{address}")), _folder: folder })
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// What Prometheus would ask, sorted, and how many targets it leaves out. `None` where there is no Prometheus.
pub(crate) async fn discovered(configuration: &str) -> Option<(Vec<Target>, usize)> {
    let prometheus = Running::start(configuration)?;
    // Each job gets its targets by itself, and each has some in these tests.
    let jobs = configuration.matches("job_name:").count();
    let data = eventually(DISCOVERED, "each job has targets", async || {
        let answer = prometheus.api.get("/api/v1/targets").await;
        let mut answer = (answer.status == 200).then(|| answer.json())?; // 503 until it has read its data
        let pools: BTreeSet<_> =
            list(&answer["data"]["activeTargets"]).map(|one| one["scrapePool"].to_string()).collect();
        (pools.len() == jobs).then(|| answer["data"].take())
    });
    let data = data.await;
    let mut targets: Vec<_> = list(&data["activeTargets"])
        .map(|target| Target {
            url: target["scrapeUrl"].as_str().unwrap().to_owned(),
            labels: serde_json::from_value(target["labels"].clone()).unwrap(),
        })
        .collect();
    targets.sort();
    Some((targets, list(&data["droppedTargets"]).count()))
}
