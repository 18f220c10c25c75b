//! Everything in this repository that asks Prometheus for something, with its place: what [`crate::contract`] holds.

use std::{
    fs,
    path::{Path, PathBuf},
};

use e2e::{
    dashboard::{Dashboard, all, exporters, list, with_values, workspace},
    promql::selectors,
    rules,
};

/// A query.
pub(crate) struct Asked {
    /// For messages.
    pub(crate) place: String,
    /// As it is written there, with Grafana's variables.
    pub(crate) expression: String,
}

/// All of them. A kind of place in which nothing is found any more is an error: its form has changed.
pub(crate) fn everything() -> Vec<Asked> {
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
    let asked =
        |rule: rules::Rule| Asked { place: format!("{}, {}", rule.file, rule.name), expression: rule.expression };
    rules::all().into_iter().map(asked).collect()
}

fn panels(dashboard: &Dashboard) -> Vec<Asked> {
    let queries = dashboard.queries().into_iter();
    queries.map(|query| Asked { place: query.place, expression: query.expression }).collect()
}

/// `label_values(SELECTOR, LABEL)` asks for the selector.
fn variables(dashboard: &Dashboard) -> Vec<Asked> {
    let queries = list(&dashboard.json["templating"]["list"]).filter(|variable| variable["type"] == "query");
    let asked = |variable: &serde_json::Value| {
        let place = format!("{}, variable {}", dashboard.file, variable["name"]);
        let inner = variable["query"].as_str().and_then(|text| text.strip_prefix("label_values(")?.rsplit_once(", "));
        let (selector, _) = inner.unwrap_or_else(|| panic!("{place} is no label_values(…, …)"));
        Asked { place, expression: selector.into() }
    };
    queries.map(asked).collect()
}

fn annotations(dashboard: &Dashboard) -> Vec<Asked> {
    let asked = |annotation: &serde_json::Value| {
        let place = format!("{}, annotation {}", dashboard.file, annotation["name"]);
        Some(Asked { place, expression: annotation["expr"].as_str()?.into() }) // Grafana's own has none
    };
    list(&dashboard.json["annotations"]["list"]).filter_map(asked).collect()
}

fn of_grafanas_alerts() -> Vec<Asked> {
    let path = workspace().join("grafana/provisioning/alerting/rules.yml");
    let text = read(&path);
    let lines = text.lines().filter_map(|line| line.trim_start().strip_prefix("expr: "));
    lines.map(|line| Asked { place: name(&path), expression: line.into() }).collect()
}

/// What stands between "```promql" and "```": at least three queries for each alert.
fn runbooks() -> Vec<Asked> {
    let of = |path: PathBuf| {
        let (place, text) = (name(&path), read(&path));
        let blocks = text.split("```promql\n").skip(1).filter_map(|rest| rest.split("```").next());
        let found: Vec<_> =
            blocks.map(|block| Asked { place: place.clone(), expression: block.trim().into() }).collect();
        assert!(found.len() >= 3 || place == "README.md", "{place}: {} queries", found.len());
        found
    };
    markdown("prometheus/runbooks").into_iter().chain([workspace().join("README.md")]).flat_map(of).collect()
}

/// There a metric is searched for by its name.
fn names() -> Vec<Asked> {
    let tutorial = fs::read_dir(workspace().join("tutorial")).unwrap().map(|entry| entry.unwrap().path());
    let tutorial = tutorial.filter(|path| path.is_file());
    let of = |path: PathBuf| {
        let text = read(&path);
        let words =
            text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_').filter(|word| word.starts_with("myevents_"));
        words.map(|word| Asked { place: name(&path), expression: word.into() }).collect::<Vec<_>>()
    };
    tutorial.chain([workspace().join("README.md")]).flat_map(of).collect()
}

fn markdown(folder: &str) -> Vec<PathBuf> {
    let all = fs::read_dir(workspace().join(folder)).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|end| end == "md")).collect()
}

fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()))
}

fn name(path: &Path) -> String {
    path.file_name().unwrap().to_string_lossy().into_owned()
}

#[test]
fn every_query_is_valid_promql() {
    for Asked { place, expression } in everything() {
        let found = selectors(&with_values(&expression));
        assert!(!found.is_empty() || expression.contains("vector("), "{place}: {expression} asks for nothing");
    }
}
