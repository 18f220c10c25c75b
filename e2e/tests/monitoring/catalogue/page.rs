//! `docs/metrics.md`: all metrics by the program that exports them, with who uses them. It is written by its own test when asked.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    fmt::Write,
    fs,
};

use e2e::{
    asked::By,
    catalogue::{self, Metric, Part},
    dashboard::workspace,
};

use super::uses::{Uses, mark};

/// How the page is written anew.
const COMMAND: &str = "UPDATE=1 cargo test -p e2e --test monitoring catalogue";

const HEAD: &str =
    "| metric | type | unit | labels | of | it says | panels | alerts |\n|---|---|---|---|---|---|---|---|\n";

fn page() -> String {
    let mut page = format!(
        "# Metrics

Every metric that a program of this repository exports. The page is made of the code that registers them, and a test holds it to that, and
to what a running system exports. Do not edit it: `{COMMAND}` writes it anew.

*Labels* stand beside `job` and `instance`, which Prometheus adds. A histogram has `le`, a summary `quantile` as well. *Of the store* are values
that are read from what is stored: replicas on one store all show the same, so a query takes the `max`. All others are *of the process*, and
are added up. A *timestamp* is in seconds since 1970. A histogram that is *also native* has buckets without bounds, too, in the protobuf form.

*Panels* stand behind the name of their dashboard in `grafana/`. They and *alerts* are named, too, where they ask for what a rule has recorded
of a metric; `*` stands for a window. Where nothing else uses a metric, a runbook that asks for it is named, or the reason why it is there.
"
    );
    let (uses, mut last) = (Uses::read(), None);
    for metric in catalogue::all() {
        let part = Part::of(&metric.file);
        if last.replace(part) != Some(part) {
            write!(page, "\n## {}\n\n{HEAD}", part.title()).unwrap();
        }
        page += &row(&metric, &uses);
    }
    page
}

fn row(metric: &Metric, uses: &Uses) -> String {
    let native = if metric.native { ", also native" } else { "" };
    let of = if metric.of_the_store() { "store" } else { "process" };
    let labels: Vec<_> = metric.labels.iter().map(|label| format!("`{label}`")).collect();
    let help = metric.help.trim_end_matches(" Of the store.");
    let (panels, alerts) = (panels(metric, uses), alerts(metric, uses));
    let (name, kind, unit, labels) = (&metric.name, metric.kind.word(), metric.unit(), labels.join(", "));
    format!("| `{name}` | {kind}{native} | {unit} | {labels} | {of} | {help} | {panels} | {alerts} |\n")
}

fn panels(metric: &Metric, uses: &Uses) -> String {
    let mut dashboards: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut others = Vec::new();
    for by in uses.of(metric) {
        match by {
            By::Panel(dashboard, panel) => dashboards.entry(dashboard).or_default().push(panel),
            By::Annotation(name) => others.push(format!("on every time axis: {name}")),
            By::Variable(name) => others.push(format!("to choose {name}")),
            By::Alert(_) | By::Recorded(_) | By::GrafanasAlert | By::Runbook(_) | By::Name => {}
        }
    }
    let panels = dashboards.into_iter().map(|(dashboard, panels)| format!("*{dashboard}*: {}", panels.join("; ")));
    panels.chain(others).collect::<Vec<_>>().join("<br>").replace('|', "\\|")
}

fn alerts(metric: &Metric, uses: &Uses) -> String {
    let link = |alert: &str| format!("[{alert}](../prometheus/runbooks/{alert}.md)");
    let all = uses.of(metric);
    let alone = all.iter().all(|by| matches!(by, By::Runbook(_)));
    let said = all.iter().filter_map(|by| match by {
        By::Alert(name) => Some(link(name)),
        By::Recorded(name) => Some(format!("recorded: `{}`", without_window(name))),
        By::GrafanasAlert => Some("Grafana's own".to_owned()),
        By::Runbook(name) if alone => Some(format!("runbook of {}", link(name))),
        By::Runbook(_) | By::Panel(..) | By::Annotation(_) | By::Variable(_) | By::Name => None,
    });
    let mark = mark(metric).map(|why| format!("none: {why}"));
    said.chain(mark).collect::<BTreeSet<_>>().into_iter().collect::<Vec<_>>().join("<br>")
}

/// `…:rate*` for `…:rate5m`: what is recorded for several windows is one thing.
fn without_window(name: &str) -> String {
    let digits = name.trim_end_matches(['s', 'm', 'h', 'd']).trim_end_matches(|c: char| c.is_ascii_digit());
    if digits.len() + 2 <= name.len() { format!("{digits}*") } else { name.to_owned() }
}

#[test]
fn the_page_says_what_the_code_says() {
    let path = workspace().join("docs/metrics.md");
    let right = page();
    if env::var_os("UPDATE").is_some() {
        fs::write(&path, &right).unwrap();
    }
    let found = fs::read_to_string(&path).unwrap_or_default();
    let differs = right.lines().zip(found.lines()).find(|(right, found)| right != found);
    assert!(right == found, "docs/metrics.md is not what the code says: {COMMAND}\n{differs:?}");
}
