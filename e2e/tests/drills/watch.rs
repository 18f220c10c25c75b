//! All that watches a system: Prometheus, Alertmanager, the bridge, the inbox and the mail server, with the project's own files, in which
//! only addresses are others and times are short.

use std::{
    fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use e2e::{
    Api, binary,
    dashboard::{list, workspace},
    not_run,
    notifications::Notifications,
    prometheus::Prometheus,
    rules::Rule,
};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    process::{Process, answers, port},
    shortened::{Factor, USUAL},
};

/// The watchers of one drill.
pub(crate) struct Watch {
    pub(crate) prometheus: Process,
    pub(crate) alertmanager: Process,
    pub(crate) inbox: Process,
    pub(crate) bridge: Process,
    _mailpit: Process,
    /// What Prometheus answers.
    pub(crate) ask: Prometheus,
    pub(crate) alertmanager_api: Api,
    /// Where alerts arrive.
    pub(crate) notifications: Notifications,
    pub(crate) folder: TempDir,
    /// Of Alertmanager, and of the bridge's metrics.
    addresses: (String, String),
    /// By how much its times are shorter.
    pub(crate) factor: Factor,
}

/// An alert of Prometheus that is pending or firing.
pub(crate) struct Alert {
    pub(crate) name: String,
    pub(crate) firing: bool,
    labels: Value,
}

impl Alert {
    /// Whether it is of this rule: there are several of one name, for longer windows.
    pub(crate) fn is(&self, rule: &Rule) -> bool {
        self.name == rule.name && rule.labels.iter().all(|(name, value)| self.labels[name] == **value)
    }
}

/// What the robot of Compose wants in each message.
pub(crate) const KEYWORD: &str = "报警";

/// The names under which Compose's network has each of them.
const NAMES: [&str; 9] = [
    "events",
    "bookings",
    "alertmanager",
    "bridge",
    "rabbitmq",
    "grafana",
    "mongodb-exporter",
    "node-exporter",
    "pushgateway",
];

/// Today's programs, of `.ci/monitoring-tools`.
pub(crate) fn tools() -> Option<PathBuf> {
    let tools = workspace().join("target/tools/bin");
    if ["prometheus", "alertmanager", "mailpit"].iter().all(|name| tools.join(name).exists()) {
        return Some(tools);
    }
    not_run("a drill without Prometheus, Alertmanager and mailpit (build them: .ci/monitoring-tools)");
    None
}

impl Watch {
    /// `None` where a program is missing, and the drill returns.
    pub(crate) async fn start() -> Option<Self> {
        Self::shortened_by(USUAL).await
    }

    /// The same, with times that are less short, for what takes its time here as everywhere.
    pub(crate) async fn shortened_by(factor: Factor) -> Option<Self> {
        let tools = tools()?;
        let folder = tempfile::tempdir().unwrap();
        let here = |port: u32| format!("127.0.0.1:{port}");
        let [prometheus, alertmanager, bridge, bridge_ops, inbox, smtp, mails] = [(); 7].map(|()| here(port()));

        let path = folder.path();
        let addresses = [("localhost:9090", prometheus.as_str())];
        fs::write(path.join("prometheus.yml"), prometheus_yml(factor, &addresses)).unwrap();
        let addresses = [("mailpit:1025", smtp.as_str()), ("bridge:8060", &bridge), ("inbox:8026", &inbox)];
        fs::write(path.join("alertmanager.yml"), alertmanager_yml(factor, &addresses)).unwrap();
        symlink(workspace().join("prometheus/alertmanager/templates"), path.join("templates")).unwrap();
        factor.folder(&workspace().join("prometheus/rules"), &path.join("rules"));
        fs::create_dir(path.join("targets")).unwrap();

        let mut mailpit = Command::new(tools.join("mailpit"));
        mailpit.args(["--smtp", &smtp, "--listen", &mails]).arg("--database").arg(path.join("mails"));
        let robot = format!("http://{inbox}/robot/send?access_token=dev");
        let watch = Self {
            _mailpit: Process::start(path, "mailpit", mailpit),
            inbox: Process::start(path, "inbox", inbox_command(&inbox, KEYWORD)),
            bridge: Process::start(
                path,
                "bridge",
                ours(&[
                    "bridge",
                    "--bridge-addr",
                    &bridge,
                    "--bridge-ops-addr",
                    &bridge_ops,
                    "--dingtalk-webhook-url",
                    &robot,
                ]),
            ),
            alertmanager: Process::start(path, "alertmanager", alertmanager_command(&tools, &alertmanager)),
            prometheus: {
                NAMES.iter().for_each(|name| write_targets(path, name, &[]));
                write_targets(path, "alertmanager", std::slice::from_ref(&alertmanager));
                write_targets(path, "bridge", std::slice::from_ref(&bridge_ops));
                let mut command = prometheus_command(&tools, &prometheus, factor);
                command.env("RUNBOOKS_URL", format!("http://{inbox}/runbooks"));
                command.env("DASHBOARDS_URL", format!("http://{inbox}/dashboards"));
                Process::start(path, "prometheus", command)
            },
            ask: Prometheus(Api::new(&format!("http://{prometheus}"))),
            alertmanager_api: Api::new(&format!("http://{alertmanager}")),
            notifications: Notifications {
                inbox: Api::new(&format!("http://{inbox}")),
                mailpit: Api::new(&format!("http://{mails}")),
            },
            folder,
            addresses: (alertmanager.clone(), bridge_ops),
            factor,
        };
        answers(&watch.notifications.mailpit, "/readyz").await;
        answers(&watch.notifications.inbox, "/readyz").await;
        answers(&watch.alertmanager_api, "/-/ready").await;
        answers(&watch.ask.0, "/-/ready").await;
        Some(watch)
    }

    /// DingTalk's robot has another word that each message must hold. It forgets what has arrived.
    pub(crate) async fn robot_wants(&mut self, keyword: &str) {
        self.inbox.kill();
        let address = self.notifications.inbox.address().to_string();
        self.inbox = Process::start(self.folder.path(), "inbox", inbox_command(&address, keyword));
        answers(&self.notifications.inbox, "/readyz").await;
    }

    /// All that belongs to the system ends in order: not the inbox and the mail server, which stand for the world outside.
    pub(crate) fn down(&mut self) {
        NAMES.iter().for_each(|name| self.targets(name, &[]));
        [&mut self.prometheus, &mut self.alertmanager, &mut self.bridge].into_iter().for_each(Process::stop);
    }

    /// They are there again, on what they have stored, and so are their names.
    pub(crate) async fn up(&mut self) {
        [&mut self.prometheus, &mut self.alertmanager, &mut self.bridge].into_iter().for_each(Process::start_again);
        self.is_found();
        answers(&self.ask.0, "/-/ready").await;
    }

    fn is_found(&self) {
        self.targets("alertmanager", std::slice::from_ref(&self.addresses.0));
        self.targets("bridge", std::slice::from_ref(&self.addresses.1));
    }

    /// Who has this name from now on, as a name server would say it. Prometheus looks every second.
    pub(crate) fn targets(&self, name: &str, addresses: &[String]) {
        assert!(NAMES.contains(&name), "prometheus.yml asks for no {name}");
        write_targets(self.folder.path(), name, addresses);
    }

    /// What is pending or fires now. Nothing where Prometheus does not answer.
    pub(crate) async fn alerts(&self) -> Vec<Alert> {
        let answer = self.ask.0.get("/api/v1/alerts").await.expect(200).json();
        let alert = |one: &Value| Alert {
            name: one["labels"]["alertname"].as_str().unwrap().to_owned(),
            firing: one["state"] == "firing",
            labels: one["labels"].clone(),
        };
        list(&answer["data"]["alerts"]).map(alert).collect()
    }

    /// The message's links, to the runbook and to the dashboard, lead to pages; here to those of the inbox.
    pub(crate) async fn links_open(&self, alert: &str) {
        let (links, inbox) =
            (self.notifications.links("firing", alert).await, format!("http://{}", self.notifications.inbox.address()));
        assert_eq!(links.len(), 2, "{alert}: {links:?}");
        for link in links {
            let path = link.strip_prefix(&inbox).unwrap_or_else(|| panic!("{alert}: {link} is no page of {inbox}"));
            self.notifications.inbox.get(path).await.expect(200);
        }
    }
}

/// What Alertmanager keeps to itself about an instance, since another alert says enough.
pub(crate) async fn muted(alertmanager: &Api, instance: &str) -> Vec<String> {
    let muted = alertmanager.get("/api/v2/alerts?active=false&silenced=false").await.expect(200).json();
    let muted = list(&muted).map(|alert| &alert["labels"]).filter(|labels| labels["instance"] == instance);
    muted.map(|labels| labels["alertname"].as_str().unwrap().to_owned()).collect()
}

fn write_targets(folder: &Path, name: &str, addresses: &[String]) {
    let file = folder.join("targets").join(name);
    fs::write(&file, json!([{ "targets": addresses }]).to_string()).unwrap();
    fs::rename(&file, file.with_extension("json")).unwrap(); // never half a file
}

/// Where Compose's file asks for a name, this one has a file.
fn prometheus_yml(factor: Factor, addresses: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(workspace().join("prometheus/prometheus.yml")).unwrap();
    let mut lines = text.lines().peekable();
    let mut made = String::new();
    while let Some(line) = lines.next() {
        let Some(at) = line.find("dns_sd_configs:") else {
            made += &format!("{line}\n");
            continue;
        };
        let mut name = None;
        while let Some(inner) =
            lines.next_if(|next| next.len() - next.trim_start().len() > at.saturating_sub(2) && next.len() > at)
        {
            name = name.or_else(|| inner.split_once("names: [")?.1.split_once(']').map(|(name, _)| name));
        }
        let name = name.unwrap_or_else(|| panic!("no name behind {line}"));
        made +=
            &format!("{}file_sd_configs: [{{ files: [targets/{name}.json], refresh_interval: 1s }}]\n", &line[..at]);
    }
    with(addresses, factor.text(&made))
}

fn alertmanager_yml(factor: Factor, addresses: &[(&str, &str)]) -> String {
    let text = fs::read_to_string(workspace().join("prometheus/alertmanager/alertmanager.yml")).unwrap();
    with(addresses, factor.text(&text))
}

fn with(addresses: &[(&str, &str)], text: String) -> String {
    addresses.iter().fold(text, |text, (there, here)| {
        assert!(text.contains(there), "no {there} in {text}");
        text.replace(there, here)
    })
}

fn ours(arguments: &[&str]) -> Command {
    let mut command = Command::new(binary::myevents());
    command.env_clear().args(arguments);
    command
}

fn inbox_command(address: &str, keyword: &str) -> Command {
    ours(&["inbox", "--inbox-addr", address, "--inbox-keyword", keyword])
}

/// As in Compose, with its times short.
fn prometheus_command(tools: &Path, address: &str, factor: Factor) -> Command {
    let mut command = Command::new(tools.join("prometheus"));
    command.args(["--config.file=prometheus.yml", "--storage.tsdb.path=samples", "--log.level=warn"]);
    command.arg("--enable-feature=created-timestamp-zero-ingestion,exemplar-storage");
    command.args([format!("--web.listen-address={address}"), format!("--web.external-url=http://{address}/")]);
    for (flag, minutes) in
        [("query.lookback-delta", 5), ("rules.alert.resend-delay", 1), ("rules.alert.for-grace-period", 10)]
    {
        let short = factor.time(Duration::from_secs(60 * minutes));
        command.arg(format!("--{flag}={}ms", short.as_millis()));
    }
    command
}

fn alertmanager_command(tools: &Path, address: &str) -> Command {
    let mut command = Command::new(tools.join("alertmanager"));
    command.args([
        "--config.file=alertmanager.yml",
        "--storage.path=silences",
        "--cluster.listen-address=",
        "--log.level=warn",
    ]);
    command.args([format!("--web.listen-address={address}"), format!("--web.external-url=http://{address}/")]);
    command
}
