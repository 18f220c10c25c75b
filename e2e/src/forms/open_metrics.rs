//! OpenMetrics, read by the strict parser of Python's `prometheus_client`.

use std::{
    collections::BTreeMap,
    io::Write,
    process::{Command, Stdio},
};

use serde_json::Value;

use crate::{
    dashboard::list,
    forms::{Said, series},
    not_run,
};

/// Prints a family in each line. Values as texts, since JSON has no NaN.
const PROGRAM: &str = r#"
import json, sys
from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse
for family in parse(sys.stdin.buffer.read().decode("utf-8")):
    samples = [
        [s.name, s.labels, repr(float(s.value)), s.exemplar and [s.exemplar.labels, repr(float(s.exemplar.value))]]
        for s in family.samples
    ]
    print(json.dumps([family.name, family.type, samples]))
"#;

/// The Python with the parser: first the one that a shell would take, then Debian's own.
fn python() -> Option<&'static str> {
    let has_it = |python: &&str| {
        let mut import = Command::new(python);
        import.args(["-c", "import prometheus_client.openmetrics.parser"]).stderr(Stdio::null());
        import.status().is_ok_and(|status| status.success())
    };
    let found = ["python3", "/usr/bin/python3"].into_iter().find(has_it);
    if found.is_none() {
        not_run("the strict parser of OpenMetrics (apt install python3-prometheus-client)");
    }
    found
}

/// What it says; `None` where there is no parser.
///
/// # Panics
///
/// If the parser refuses it.
pub fn read(text: &[u8]) -> Option<Said> {
    let mut parser = Command::new(python()?);
    parser.args(["-c", PROGRAM]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut parser = parser.spawn().expect("it was there a moment ago");
    let mut stdin = parser.stdin.take().expect("it is a pipe");
    let written = text.to_vec();
    // It may fail before it has read everything; what it says of that comes below.
    let writer = std::thread::spawn(move || drop(stdin.write_all(&written)));
    let output = parser.wait_with_output().expect("it ends");
    writer.join().expect("it does not panic");
    assert!(output.status.success(), "no OpenMetrics: {}", String::from_utf8_lossy(&output.stderr));
    let mut said = Said::default();
    for line in output.stdout.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let family: Value = serde_json::from_slice(line).expect("it prints JSON");
        add(&mut said, &family);
    }
    Some(said)
}

fn add(said: &mut Said, family: &Value) {
    let word = |value: &Value| value.as_str().unwrap_or_else(|| panic!("no text: {value}")).to_owned();
    let number = |value: &Value| word(value).parse::<f64>().expect("it is a number");
    // As the other forms have it: a counter's family is called like its samples, and one without `_total` is a counter.
    let (name, kind) = match (word(&family[0]), word(&family[1]).as_str()) {
        (name, "counter") => (format!("{name}_total"), "counter".to_owned()),
        (name, "unknown") => (name, "counter".to_owned()),
        (name, kind) => (name, kind.to_owned()),
    };
    said.kinds.insert(name.clone(), kind);
    for sample in list(&family[2]) {
        let labels: BTreeMap<String, String> = serde_json::from_value(sample[1].clone()).expect("labels are texts");
        let (sample_name, value) = (word(&sample[0]), number(&sample[2]));
        if sample_name.ends_with("_created") {
            said.starts.insert(series(&name, labels), value);
            continue;
        }
        if let Some(exemplar) = sample[3].as_array() {
            let seen = (number(&exemplar[1]), word(&exemplar[0]["trace_id"]));
            said.exemplars.insert(series(&sample_name, labels.clone()), seen);
        }
        said.add(&sample_name, labels, value);
    }
}
