//! The README's commands, run as a newcomer would type them, and their answers compared with those that are printed there.
//!
//! `cargo run` and `make test` are what got us here. Each command's own answer is compared, line by line, but for what differs each
//! time: ids, times, and the figures of a load.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use e2e::{SOON, binary, not_run, start_page::Addresses};

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

/// What two runs have in common, line by line. Ids and times differ each time. What our own program shows is figures, which differ,
/// too; so of a row of a table only its name is compared. curl prints headers in any order.
fn in_common(command: &str, printed: &str) -> Vec<String> {
    let mut lines: Vec<_> =
        printed.lines().map(str::trim_end).filter(|line| !line.is_empty()).map(without_ids).collect();
    if command.starts_with("curl -i") {
        let headers = lines.len().saturating_sub(1); // the body is one line
        lines[..headers].sort();
    }
    if command.starts_with("cargo run --") {
        lines = lines.iter().map(|line| without_figures(line)).collect();
    }
    lines
}

/// With `ID` for each id, and `TIME` for each time.
fn without_ids(line: &str) -> String {
    if line.starts_with("date: ") {
        return "date: TIME".to_owned();
    }
    let part_of_one = |c: char| c.is_ascii_alphanumeric() || "-:.".contains(c);
    let pieces = line.split_inclusive(|c| !part_of_one(c)).map(|piece| {
        let end = piece.rfind(part_of_one).map_or(0, |last| last + 1);
        let (word, rest) = piece.split_at(end);
        let is_id = word.len() == 36 && word.matches('-').count() == 4;
        let is_time = word.len() == 24 && word.ends_with('Z') && word.contains('T');
        let word = if is_id {
            "ID"
        } else if is_time {
            "TIME"
        } else {
            word
        };
        word.to_owned() + rest
    });
    pieces.collect()
}

/// With `#` for each number. A row of a table, which is indented, ends at the first one.
fn without_figures(line: &str) -> String {
    let figure = |word: &&str| word.trim_start_matches('(').starts_with(|c: char| c.is_ascii_digit());
    let words = line.split_whitespace();
    if line.starts_with(' ') {
        return words.take_while(|word| !figure(word)).collect::<Vec<_>>().join(" ");
    }
    words.map(|word| if figure(&word) { "#" } else { word }).collect::<Vec<_>>().join(" ")
}

/// A running system, and the shell in which a newcomer asks it.
struct Newcomer {
    _running: Running,
    found: Addresses,
    folder: tempfile::TempDir,
    /// What was given names to before: `EVENT=…`.
    variables: String,
}

impl Newcomer {
    fn start() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut command = Command::new(binary::myevents());
        for option in ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr", "--page-addr"] {
            command.args([option, "127.0.0.1:0"]);
        }
        command.arg("--data-dir").arg(folder.path()).env_clear().stdout(Stdio::piped()).stderr(Stdio::null());
        let mut running = Running(command.spawn().unwrap());
        let (mut page, mut found) = (BufReader::new(running.0.stdout.take().unwrap()).lines(), Addresses::default());
        while !found.complete() {
            found.read(&page.next().expect("the start page names all addresses").unwrap());
        }
        Self { _running: running, found, folder, variables: String::new() }
    }

    /// With the addresses of this system in the place of the default ones.
    fn at_home(&self, text: &str) -> String {
        [
            ("http://127.0.0.1:8181", &self.found.events),
            ("http://127.0.0.1:8282", &self.found.bookings),
            ("http://127.0.0.1:9100", &self.found.events_ops),
            ("http://127.0.0.1:9101", &self.found.bookings_ops),
        ]
        .iter()
        .fold(text.to_owned(), |text, (default, real)| text.replace(default, real))
    }

    /// What a command prints.
    fn types(&self, command: &str) -> String {
        let line = self.at_home(command).replace("cargo run --", &binary::myevents().display().to_string());
        let mut shell = Command::new("bash");
        shell.env("EVENTS_URL", &self.found.events).env("BOOKINGS_URL", &self.found.bookings);
        shell.env("EVENTS_OPS_URL", &self.found.events_ops).env("BOOKINGS_OPS_URL", &self.found.bookings_ops);
        let script = format!("set -e\n{}{line}", self.variables);
        let output = shell.current_dir(self.folder.path()).arg("-c").arg(&script).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    }
}

#[test]
fn every_command_of_the_readme_prints_what_is_shown_below_it() {
    let curl = Command::new("bash").args(["-c", "curl --version"]).stdout(Stdio::null()).stderr(Stdio::null()).status();
    if !curl.is_ok_and(|status| status.success()) {
        return not_run("the README's commands: bash and curl (install the packages bash and curl)");
    }
    let (mut newcomer, mut compared) = (Newcomer::start(), 0);
    for Step { command, shown } in steps() {
        if ["cargo run", "make test", "make bench"].contains(&command.as_str()) {
            continue;
        }
        if shown.is_empty() {
            newcomer.variables += &format!("{}\n", newcomer.at_home(&command));
            continue;
        }
        let right = in_common(&command, &newcomer.at_home(&shown.join("\n")));
        // What is only read may be asked for again: the view follows a moment after the booking.
        let only_reads = command.starts_with("curl") && !command.contains(" -d ");
        let deadline = Instant::now() + SOON;
        let mut printed = newcomer.types(&command);
        while only_reads && in_common(&command, &printed) != right && Instant::now() < deadline {
            thread::sleep(Duration::from_millis(50));
            printed = newcomer.types(&command);
        }
        assert_eq!(in_common(&command, &printed), right, "$ {command}\n{printed}");
        compared += right.len();
    }
    assert!(compared > 25, "the README shows more than {compared} lines");
}

#[test]
fn lines_are_the_same_but_for_ids_times_and_figures() {
    let json = r#"{"id":"01a1fd87-211d-75f0-8eed-8c3542418a76","seats":2,"booked_at":"2026-11-21T09:54:13.917Z"}"#;
    assert_eq!(in_common("curl -s", json), [r#"{"id":"ID","seats":2,"booked_at":"TIME"}"#]);
    let table = "10,624 requests in 5.0 s\n\n  read event  2,554  2.77  200: 2,554\n(0 of them)";
    assert_eq!(in_common("cargo run -- load", table), ["# requests in # s", "read event", "# of them)"]);
    assert_eq!(
        in_common("curl -i", "HTTP/1.1 200 OK\nb: 2\na: 1\n\nbody"),
        ["HTTP/1.1 200 OK", "a: 1", "b: 2", "body"]
    );
}

#[test]
fn the_readme_has_the_two_commands() {
    let commands: Vec<_> = steps().into_iter().map(|step| step.command).collect();
    assert!(commands.contains(&"cargo run".to_owned()) && commands.contains(&"make test".to_owned()), "{commands:?}");
}
