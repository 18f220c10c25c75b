//! The rules of Prometheus as files, and their tests.
//!
//! It is no parser of YAML: the files are written in one form, and whatever is written otherwise is refused. That they are valid is
//! promtool's business.

use std::{
    collections::BTreeMap,
    env, fs,
    ops::Range,
    path::{Path, PathBuf},
    process::Command,
};

use crate::dashboard::workspace;

/// A recording rule or an alert.
#[derive(Clone, Debug, Default)]
pub struct Rule {
    /// The file's name.
    pub file: String,
    /// Whether it is an alert.
    pub alert: bool,
    /// The alert, or the metric that is recorded.
    pub name: String,
    /// On as many lines as in the file.
    pub expression: String,
    /// `for`, as it is written; empty where there is none.
    pub lasts: String,
    /// What is added to the labels that the expression leaves.
    pub labels: BTreeMap<String, String>,
    /// What people read.
    pub annotations: BTreeMap<String, String>,
    /// Its lines in the file.
    pub lines: Range<usize>,
}

/// A test of promtool: series, and what must come of them.
#[derive(Clone, Debug)]
pub struct Case {
    /// The file's name.
    pub file: String,
    /// What it is called.
    pub name: String,
    /// All of it.
    pub text: String,
}

/// A file of tests.
#[derive(Clone, Debug)]
pub struct Tests {
    /// Where it is.
    pub path: PathBuf,
    /// The names of the rule files that it loads; `*.yml` for all.
    pub rules: Vec<String>,
    /// How often it computes rules.
    pub interval: String,
    /// Its tests.
    pub cases: Vec<Case>,
}

/// The `.yml` files of a folder below `prometheus/`, sorted.
pub fn files(folder: &str) -> Vec<PathBuf> {
    let folder = workspace().join("prometheus").join(folder);
    let all = fs::read_dir(&folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    let mut all: Vec<_> = all.map(|entry| entry.expect("a folder can be read").path()).collect();
    all.retain(|path| path.extension().is_some_and(|end| end == "yml"));
    all.sort();
    all
}

fn read(path: &Path) -> (String, String) {
    let text = fs::read_to_string(path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    (path.file_name().unwrap_or_default().to_string_lossy().into_owned(), text)
}

/// All rules, in the order of their files.
pub fn all() -> Vec<Rule> {
    let of = |path: PathBuf| {
        let (file, text) = read(&path);
        rules(&file, &text).unwrap_or_else(|cause| panic!("{file}: {cause}"))
    };
    let all: Vec<_> = files("rules").into_iter().flat_map(of).collect();
    assert!(!all.is_empty(), "no rules");
    all
}

/// The rules of a file, or the line that is written in another way.
pub fn rules(file: &str, text: &str) -> Result<Vec<Rule>, String> {
    let mut found: Vec<Rule> = Vec::new();
    let mut inside = "";
    for (number, line) in text.lines().enumerate() {
        let (content, column) = (line.trim_start(), line.len() - line.trim_start().len());
        if content.is_empty() || content.starts_with('#') || column < 6 {
            continue;
        }
        if let Some(name) = content.strip_prefix("- alert: ").or(content.strip_prefix("- record: ")) {
            found.push(Rule {
                file: file.into(),
                alert: content.starts_with("- alert"),
                name: name.into(),
                lines: number..number + 1,
                ..Rule::default()
            });
            continue;
        }
        let Some(rule) = found.last_mut() else { return Err(format!("before the first rule: {line}")) };
        rule.lines.end = number + 1;
        let (key, value) = content.split_once(':').map_or((content, ""), |(key, value)| (key, value.trim()));
        match (column, key, inside) {
            (8, "expr", _) if value == "|" => inside = "expr",
            (8, "expr", _) => rule.expression = value.into(),
            (8, "for", _) => rule.lasts = value.into(),
            (8, "keep_firing_for", _) => {}
            (8, "labels", _) => rule.labels = labels(value).ok_or_else(|| line.to_owned())?,
            (8, "annotations", _) => inside = "annotations",
            (10.., _, "expr") => rule.expression = format!("{}{}\n", rule.expression, &line[10..]),
            (10, key, "annotations") => {
                let text = value.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                rule.annotations.insert(key.into(), text.ok_or_else(|| line.to_owned())?.into());
            }
            _ => return Err(line.to_owned()),
        }
    }
    Ok(found)
}

/// `{ severity: critical, team: myevents }`
fn labels(text: &str) -> Option<BTreeMap<String, String>> {
    let inner = text.strip_prefix('{')?.strip_suffix('}')?;
    inner.split(',').map(|one| one.split_once(": ").map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()))).collect()
}

/// All files of tests.
pub fn tests() -> Vec<Tests> {
    files("tests").into_iter().map(tests_of).collect()
}

fn tests_of(path: PathBuf) -> Tests {
    let (file, text) = read(&path);
    let value = |key: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix(": "));
        line.unwrap_or_else(|| panic!("{file}: no {key}")).to_owned()
    };
    let rules = value("rule_files");
    let rules = rules.trim_matches(['[', ']']).split(", ").map(|path| path.replace("../rules/", "")).collect();
    let case = |text: &str| {
        let name = text.lines().next().unwrap_or_default();
        let name = name.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap_or(name);
        Case { file: file.clone(), name: name.replace("''", "'"), text: text.into() }
    };
    let cases = text.split("\n  - name: ").skip(1).map(case).collect();
    Tests { interval: value("evaluation_interval"), path, rules, cases }
}

/// Each promtool there is: that of the `PATH`, and those of `PROMTOOLS`, a list of paths like `PATH`.
pub fn promtools() -> Vec<PathBuf> {
    let others = env::var_os("PROMTOOLS").unwrap_or_default();
    let all = std::iter::once(PathBuf::from("promtool")).chain(env::split_paths(&others));
    all.filter(|path| Command::new(path).arg("--version").output().is_ok()).collect()
}

/// Runs it, and gives what it said; an error where it found something.
pub fn promtool(tool: &Path, arguments: &[&str], files: &[PathBuf]) -> Result<String, String> {
    let output = Command::new(tool).args(arguments).args(files).output();
    let output = output.map_err(|cause| format!("{}: {cause}", tool.display()))?;
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(said.into_owned()) } else { Err(format!("{}: {said}", tool.display())) }
}

/// Its version, as `2.42.0`.
pub fn version(tool: &Path) -> String {
    let said = promtool(tool, &["--version"], &[]).unwrap_or_else(|cause| panic!("{cause}"));
    let version = said.split_once("version ").map(|(_, rest)| rest).unwrap_or_default();
    version.chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
}

/// Fails where this promtool finds a fault in the rules, be it one of style, or where one of their tests is red in it.
pub fn must_be_green(tool: &Path) {
    let run = |arguments, files: &[PathBuf]| promtool(tool, arguments, files).unwrap_or_else(|cause| panic!("{cause}"));
    run(&["check", "rules", "--lint=all", "--lint-fatal"], &files("rules"));
    run(&["test", "rules"], &files("tests"));
}
