//! The README's commands, run as a newcomer would type them, and their answers compared with those that are printed there.
//!
//! `cargo run` and `make test` are what got us here. Ids and times differ each time, so of an answer its lines' beginnings
//! and its JSON's fields are compared.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
};

use e2e::{binary, not_run, start_page::Addresses};
use serde_json::Value;

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A command of the README and what is printed below it.
struct Step {
    command: String,
    shown: Vec<String>,
}

fn steps() -> Vec<Step> {
    let readme = include_str!("../../README.md");
    let blocks = readme.split("```console\n").skip(1).filter_map(|rest| rest.split("```").next());
    let mut steps: Vec<Step> = Vec::new();
    for line in blocks.flat_map(str::lines) {
        match line.strip_prefix("$ ") {
            Some(command) => steps.push(Step { command: command.to_owned(), shown: Vec::new() }),
            None => steps.last_mut().expect("a block begins with a command").shown.push(line.to_owned()),
        }
    }
    steps
}

/// What two runs have in common: the fields of JSON, and of other lines the first word, if it is not a number.
fn shape(line: &str) -> String {
    match serde_json::from_str(line) {
        Ok(Value::Object(fields)) => fields.keys().cloned().collect::<Vec<_>>().join(" "),
        _ => {
            let word = line.trim().split([' ', '"']).next().unwrap_or_default();
            if word.starts_with(|c: char| c.is_ascii_digit()) { "number".to_owned() } else { word.to_owned() }
        }
    }
}

#[test]
fn every_command_of_the_readme_does_what_it_shows() {
    let curl = Command::new("bash").args(["-c", "curl --version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !curl.is_ok_and(|status| status.success()) {
        return not_run("the README's commands: bash and curl (install the packages bash and curl)");
    }
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(binary::myevents());
    for option in ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr"] {
        command.args([option, "127.0.0.1:0"]);
    }
    command.arg("--data-dir").arg(folder.path()).env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
    let mut running = Running(command.spawn().unwrap());
    let (mut page, mut found) = (BufReader::new(running.0.stdout.take().unwrap()).lines(), Addresses::default());
    while !found.complete() {
        found.read(&page.next().expect("the start page names all addresses").unwrap());
    }

    let (mut script, mut hoped) = (String::from("set -e\n"), Vec::new());
    for step in steps() {
        if ["cargo run", "make test", "make bench"].contains(&step.command.as_str()) {
            continue;
        }
        let mut line = step.command.replace("cargo run --", &format!("{} ", binary::myevents().display()));
        for (default, real) in [
            ("http://127.0.0.1:8181", &found.events),
            ("http://127.0.0.1:8282", &found.bookings),
            ("http://127.0.0.1:9100", &found.events_ops),
            ("http://127.0.0.1:9101", &found.bookings_ops),
        ] {
            line = line.replace(default, real);
        }
        // curl's answers end without a new line; the view follows a moment after the booking.
        script.push_str(&format!("{line}\necho; sleep 0.5\n"));
        hoped.extend(step.shown.iter().filter(|line| !line.is_empty()).map(|line| shape(line)));
    }
    let mut shell = Command::new("bash");
    shell.env("EVENTS_URL", &found.events).env("BOOKINGS_URL", &found.bookings);
    shell.env("EVENTS_OPS_URL", &found.events_ops).env("BOOKINGS_OPS_URL", &found.bookings_ops);
    let output = shell.current_dir(folder.path()).arg("-c").arg(&script).output().unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut got: Vec<_> = printed.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(shape).collect();
    got.sort(); // headers come in any order
    hoped.sort();
    assert_eq!(got, hoped, "{script}\n{printed}");
    assert!(hoped.len() > 8, "the README shows more than that");
}

#[test]
fn the_readme_has_the_two_commands() {
    let commands: Vec<_> = steps().into_iter().map(|step| step.command).collect();
    assert!(commands.contains(&"cargo run".to_owned()) && commands.contains(&"make test".to_owned()), "{commands:?}");
}
