//! Grafana's dashboards as files: their panels, and what each panel asks for.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// One file of `grafana/dashboards` or `grafana/exporters`.
pub struct Dashboard {
    /// The file's name.
    pub file: String,
    /// Its content.
    pub json: Value,
}

/// A query of a panel.
#[derive(Clone, Debug)]
pub struct Query {
    /// Dashboard and panel, for messages.
    pub place: String,
    /// The panel's title.
    pub panel: String,
    /// As it is written there, with Grafana's variables.
    pub expression: String,
    /// What each line is called.
    pub legend: String,
}

/// The root of the workspace.
pub fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace").to_owned()
}

/// All dashboards of the folder MyEvents, by name.
pub fn all() -> Vec<Dashboard> {
    of_folder("grafana/dashboards")
}

/// Those of them that move with what users do. The others show what is the same for days, or what is not there while all is well.
pub fn moving() -> Vec<Dashboard> {
    let mut all = all();
    all.retain(|dashboard| ["overview.json", "business.json", "messaging.json"].contains(&dashboard.file.as_str()));
    all
}

/// Those of the folder Exporters, which show the metrics of exporters and of the broker.
pub fn exporters() -> Vec<Dashboard> {
    of_folder("grafana/exporters")
}

fn of_folder(folder: &str) -> Vec<Dashboard> {
    let folder = workspace().join(folder);
    let files = fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut all: Vec<_> = files.map(|file| read(&file.expect("a folder can be read").path())).collect();
    all.sort_by(|a, b| a.file.cmp(&b.file));
    assert!(!all.is_empty(), "{} is empty", folder.display());
    all
}

fn read(path: &Path) -> Dashboard {
    let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let text = fs::read_to_string(path).unwrap_or_else(|cause| panic!("{file}: {cause}"));
    let json = serde_json::from_str(&text).unwrap_or_else(|cause| panic!("{file} is no JSON: {cause}"));
    Dashboard { file, json }
}

impl Dashboard {
    /// Its panels, without the rows that only divide them.
    pub fn panels(&self) -> impl Iterator<Item = &Value> {
        list(&self.json["panels"]).filter(|panel| panel["type"] != "row")
    }

    /// How a panel is called in messages.
    pub fn place(&self, panel: &Value) -> String {
        format!("{}, panel {} {}", self.file, panel["id"], panel["title"])
    }

    /// All queries of all panels.
    pub fn queries(&self) -> Vec<Query> {
        self.panels().flat_map(|panel| list(&panel["targets"]).map(|target| self.query(panel, target))).collect()
    }

    fn query(&self, panel: &Value, target: &Value) -> Query {
        let text = |field: &str| target[field].as_str().unwrap_or_default().to_owned();
        let title = panel["title"].as_str().unwrap_or_default().to_owned();
        Query { place: self.place(panel), panel: title, expression: text("expr"), legend: text("legendFormat") }
    }
}

/// The members of a JSON list; none where there is no list.
pub fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}

/// An expression as Grafana sends it, when it shows an hour of everything scraped every 15 s; but `$__range` is short, so
/// that what happened before does not hide what happens now.
pub fn with_values(expression: &str) -> String {
    with_values_over("2m", expression)
}

/// The same with a `$__range` of one's own.
pub fn with_values_over(range: &str, expression: &str) -> String {
    let values =
        [("$__rate_interval", "1m"), ("$__range", range), ("$job", "eventservice|bookingservice"), ("$instance", ".+")];
    values.iter().fold(expression.to_owned(), |text, (name, value)| text.replace(name, value))
}
