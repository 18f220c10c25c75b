//! Expressions evaluated by promtool, over made-up series.

use std::{fs, process::Command};

use e2e::not_run;
use serde_json::{Value, json};

/// Fails where `expression` does not give `right` at that time. The series have a value every 15 s, as they are scraped.
pub(crate) fn check_value(how: &str, series: Vec<Value>, at: &str, expression: &str, right: Value) {
    let asked = json!({"expr": expression, "eval_time": at, "exp_samples": right});
    let test = json!({"interval": "15s", "input_series": series, "promql_expr_test": [asked]});
    // JSON is YAML, too.
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("tests.yml");
    fs::write(&file, json!({"tests": [test]}).to_string()).unwrap();
    let Ok(output) = Command::new("promtool").args(["test", "rules"]).arg(file).output() else {
        return not_run("promtool test rules (install Prometheus: `apt install prometheus`)");
    };
    let said = String::from_utf8_lossy(&output.stderr) + String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{how}: {said}");
}
