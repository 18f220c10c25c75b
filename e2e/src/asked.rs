//! Everything in this repository that asks Prometheus for something, with its place. The catalogue holds it to what there is, and
//! `.ci/compose-test` to what a running system has.

use std::{
    fs,
    path::{Path, PathBuf},
};

use crate::{
    dashboard::{Dashboard, all, exporters, list, workspace},
    rules,
};

/// A query.
#[derive(Clone, Debug)]
pub struct Asked {
    /// What asks.
    pub by: By,
    /// For messages.
    pub place: String,
    /// As it is written there, with Grafana's variables.
    pub expression: String,
}

/// Who asks, by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum By {
    /// An alert of `prometheus/rules`.
    Alert(String),
    /// A recording rule.
    Recorded(String),
    /// A dashboard's panel: the dashboard's file without its end, and the panel's title.
    Panel(String, String),
    /// A dashboard's variable.
    Variable(String),
    /// A mark on every time axis.
    Annotation(String),
    /// An alert of Grafana's own.
    GrafanasAlert,
    /// A runbook, by its alert.
    Runbook(String),
    /// README or the tutorial.
    Name,
}

/// All of them. A kind of place in which nothing is found any more is an error: its form has changed.
pub fn everything() -> Vec<Asked> {
    let dashboards: Vec<_> = all().into_iter().chain(exporters()).collect();
    let of = |read: fn(&Dashboard) -> Vec<Asked>| dashboards.iter().flat_map(read).collect::<Vec<_>>();
    let kinds = [
        ("rules", rules()),
        ("panels", of(panels)),
        ("variables", of(variables)),
        ("annotations", of(annotations)),
        ("alerts of Grafana's", of_grafanas_alerts()),
        ("runbooks", runbooks()),
        ("names in README and tutorial", names()),
    ];
    for (kind, found) in &kinds {
        assert!(!found.is_empty(), "no query is found in {kind}");
    }
    kinds.into_iter().flat_map(|(_, found)| found).collect()
}

fn rules() -> Vec<Asked> {
    let asked = |rule: rules::Rule| {
        let place = format!("{}, {}", rule.file, rule.name);
        let by = if rule.alert { By::Alert(rule.name) } else { By::Recorded(rule.name) };
        Asked { by, place, expression: rule.expression }
    };
    rules::all().into_iter().map(asked).collect()
}

fn panels(dashboard: &Dashboard) -> Vec<Asked> {
    let queries = dashboard.queries().into_iter();
    let by = |panel: String| By::Panel(dashboard.file.trim_end_matches(".json").to_owned(), panel);
    let asked = queries.map(|query| Asked { by: by(query.panel), place: query.place, expression: query.expression });
    asked.collect()
}

/// `label_values(SELECTOR, LABEL)` asks for the selector.
fn variables(dashboard: &Dashboard) -> Vec<Asked> {
    let queries = list(&dashboard.json["templating"]["list"]).filter(|variable| variable["type"] == "query");
    let asked = |variable: &serde_json::Value| {
        let place = format!("{}, variable {}", dashboard.file, variable["name"]);
        let inner = variable["query"].as_str().and_then(|text| text.strip_prefix("label_values(")?.rsplit_once(", "));
        let (selector, _) = inner.unwrap_or_else(|| panic!("{place} is no label_values(…, …)"));
        let by = By::Variable(variable["name"].as_str().unwrap_or_default().to_owned());
        Asked { by, place, expression: selector.into() }
    };
    queries.map(asked).collect()
}

fn annotations(dashboard: &Dashboard) -> Vec<Asked> {
    let asked = |annotation: &serde_json::Value| {
        let place = format!("{}, annotation {}", dashboard.file, annotation["name"]);
        let by = By::Annotation(annotation["name"].as_str().unwrap_or_default().to_owned());
        Some(Asked { by, place, expression: annotation["expr"].as_str()?.into() }) // Grafana's own has none
    };
    list(&dashboard.json["annotations"]["list"]).filter_map(asked).collect()
}

fn of_grafanas_alerts() -> Vec<Asked> {
    let path = workspace().join("grafana/provisioning/alerting/rules.yml");
    let text = read(&path);
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("expr: "));
    lines.map(|line| Asked { by: By::GrafanasAlert, place: file_name(&path), expression: line.into() }).collect()
}

/// What stands between "```promql" and "```": at least three queries for each alert.
fn runbooks() -> Vec<Asked> {
    let of = |path: PathBuf| {
        let (place, text) = (file_name(&path), read(&path));
        let blocks = text.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next());
        let by = if place == "README.md" { By::Name } else { By::Runbook(place.trim_end_matches(".md").to_owned()) };
        let asked = |block: &str| Asked { by: by.clone(), place: place.clone(), expression: block.trim().into() };
        let found: Vec<_> = blocks.map(asked).collect();
        assert!(found.len() >= 3 || place == "README.md", "{place}: {} queries", found.len());
        found
    };
    markdown("prometheus/runbooks").into_iter().chain([workspace().join("README.md")]).flat_map(of).collect()
}

/// In README and tutorial a metric is searched for by its name.
fn names() -> Vec<Asked> {
    let of = |path: PathBuf| {
        let text = read(&path);
        let names = our_names(&text).into_iter().filter(|name| name.starts_with("myevents_")); // the others are not there always
        let asked = |name: &str| Asked { by: By::Name, place: file_name(&path), expression: name.into() };
        names.map(asked).collect::<Vec<_>>()
    };
    searched().into_iter().flat_map(of).collect()
}

/// README and the tutorial's scripts.
fn searched() -> Vec<PathBuf> {
    let scripts = inside("tutorial").into_iter().filter(|path| path.is_file());
    scripts.chain([workspace().join("README.md")]).collect()
}

/// All texts in which people read of metrics, by their files' names.
pub fn texts() -> Vec<(String, String)> {
    let folders = ["prometheus/runbooks", "docs", "docs/pictures", "tutorial/random"].into_iter().flat_map(markdown);
    let others = ["ARCHITECTURE.md", "CONTRIBUTING.md", "CHANGELOG.md"].map(|name| workspace().join(name));
    let all = searched().into_iter().chain(folders).chain(others);
    all.map(|path| (file_name(&path), read(&path))).collect()
}

/// The words of a text that are names of our metrics. Names that every program has, like `process_threads`, are not found: much else
/// begins so.
pub fn our_names(text: &str) -> Vec<&str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != ':');
    let words = words.map(|word| word.trim_end_matches(':'));
    let ours = |word: &&str| ["myevents_", "micro_", "rpc_"].iter().any(|begins| word.starts_with(begins));
    let ours = |word: &&str| ours(word) && !word.ends_with('_'); // `myevents_amqp_(connected|blocked)` names two
    words.filter(ours).collect()
}

fn markdown(folder: &str) -> Vec<PathBuf> {
    let mut all = inside(folder);
    all.retain(|path| path.extension().is_some_and(|end| end == "md"));
    all
}

fn inside(folder: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(workspace().join(folder)).unwrap_or_else(|cause| panic!("{folder}: {cause}"));
    let mut all: Vec<_> = all.map(|entry| entry.expect("a folder can be read").path()).collect();
    all.sort();
    all
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn file_name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
