//! The rows, and the goals they are held to.

use std::{fmt, fs};

use comfy_table::{CellAlignment, ContentArrangement, presets::ASCII_MARKDOWN};
use serde::Serialize;

/// What a figure must be.
#[derive(Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Goal {
    Below(f64),
    AtLeast(f64),
}

#[derive(Serialize)]
struct Row {
    what: String,
    /// None where it was not run.
    value: Option<f64>,
    unit: &'static str,
    /// Why it was not run.
    #[serde(skip_serializing_if = "Option::is_none")]
    not_run: Option<&'static str>,
    goal: Option<Goal>,
    met: Option<bool>,
}

/// All of it.
#[derive(Serialize)]
pub(crate) struct Table {
    machine: String,
    rows: Vec<Row>,
}

impl Default for Table {
    fn default() -> Self {
        let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
        let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
        let model = model.map_or("an unknown processor", |(_, model)| model).to_owned();
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { machine: format!("{cores} cores of {model}"), rows: Vec::new() }
    }
}

impl Table {
    pub(crate) fn add(&mut self, what: impl Into<String>, value: f64, unit: &'static str, goal: Option<Goal>) {
        let met = goal.map(|goal| match goal {
            Goal::Below(limit) => value < limit,
            Goal::AtLeast(limit) => value >= limit,
        });
        self.rows.push(Row { what: what.into(), value: Some(value), unit, not_run: None, goal, met });
    }

    /// A row without a figure, and what it would need.
    pub(crate) fn not_run(&mut self, what: impl Into<String>, why: &'static str) {
        let row = Row { what: what.into(), value: None, unit: "", not_run: Some(why), goal: None, met: None };
        self.rows.push(row);
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = comfy_table::Table::new();
        table.load_preset(ASCII_MARKDOWN).set_content_arrangement(ContentArrangement::Disabled);
        table.set_header(["what", "figure", "goal"]);
        for row in &self.rows {
            let goal = row.goal.map_or(String::new(), |goal| match goal {
                Goal::Below(limit) => format!("below {}", figure(limit, row.unit)),
                Goal::AtLeast(limit) => format!("at least {}", figure(limit, row.unit)),
            });
            let missed = if row.met == Some(false) { ": MISSED" } else { "" };
            let why = row.not_run.map(|why| format!("not run: {why}")).unwrap_or_default();
            let value = row.value.map_or(String::new(), |value| figure(value, row.unit));
            table.add_row([row.what.clone(), value, goal + missed + &why]);
        }
        if let Some(column) = table.column_mut(1) {
            column.set_cell_alignment(CellAlignment::Right);
        }
        writeln!(f, "\n{}\n\n{table}", self.machine)
    }
}

/// As many digits as mean something.
fn figure(value: f64, unit: &str) -> String {
    let digits = match value.abs() {
        0.0 => 0,
        size if size >= 100.0 => 0,
        size if size >= 10.0 => 1,
        _ => 2,
    };
    let number = if value >= 10_000.0 { thousands(value as u64) } else { format!("{value:.digits$}") };
    if unit.is_empty() { number } else { format!("{number} {unit}") }
}

fn thousands(value: u64) -> String {
    if value < 1000 { value.to_string() } else { format!("{},{:03}", thousands(value / 1000), value % 1000) }
}
