//! Prometheus' own linter of a scrape.

use std::{
    io::Write,
    process::{Command, Stdio},
};

/// What `promtool check metrics` says of a text, line by line; `None` where there is none.
pub fn check_metrics(text: &str) -> Option<String> {
    let mut promtool = Command::new("promtool");
    promtool.args(["check", "metrics"]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut linter = promtool.spawn().ok()?;
    linter.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    let said = linter.wait_with_output().unwrap();
    Some(String::from_utf8([said.stdout, said.stderr].concat()).unwrap())
}
