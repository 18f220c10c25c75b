//! The tools of the command line that these tests use: `load` and `verify`.

use std::{
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use e2e::{binary, server::Server, start_page::Addresses};

/// Runs `myevents verify` on the running system, with more arguments.
pub(crate) fn verify(server: &Server, more: &[&str]) -> Output {
    let at = &server.addresses;
    let mut command = Command::new(binary::myevents());
    command.args(["verify", "--events-url", &at.events, "--bookings-url", &at.bookings]);
    command.args(["--events-ops-url", &at.events_ops, "--bookings-ops-url", &at.bookings_ops]);
    command.args(more).env_clear().output().unwrap()
}

/// Runs `myevents verify` on a stopped folder.
pub(crate) fn verify_folder(folder: &Path) -> Output {
    let mut command = Command::new(binary::myevents());
    command.arg("verify").arg("--data-dir").arg(folder.join("data")).env_clear().output().unwrap()
}

/// Panics with everything that was printed, where it was not satisfied.
#[track_caller]
pub(crate) fn assert_clean(output: &Output) {
    let told = [&output.stdout[..], &output.stderr[..]].concat();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&told));
}

/// A running `myevents load` that records what it was answered.
pub(crate) struct Load {
    child: Child,
    record: PathBuf,
}

impl Load {
    /// Books, repeats and cancels from 64 connections until it is stopped.
    pub(crate) fn start(at: &Addresses, record: &Path) -> Self {
        let mut command = Command::new(binary::myevents());
        command.args(["load", "--events-url", &at.events, "--bookings-url", &at.bookings]);
        command.args(["--connections", "64", "--duration", "0", "--events", "5", "--capacity", "5000"]);
        command.args(["--reads", "5", "--bookings", "60", "--repeats", "10", "--cancels", "25", "--bad", "0"]);
        command.arg("--record").arg(record).env_clear().stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        Self { child, record: record.to_owned() }
    }

    /// How many lines of a kind the record has, `booked` or `unanswered_` for example.
    pub(crate) fn recorded(&self, kind: &str) -> usize {
        let record = std::fs::read_to_string(&self.record).unwrap_or_default();
        record.matches(&format!("\"line\":\"{kind}")).count()
    }

    /// Ctrl-C; it then ends by itself.
    pub(crate) fn stop(mut self) {
        let kill = format!("kill -INT {}", self.child.id()); // the shell's own: not every machine has the program
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        assert!(self.child.wait().unwrap().success(), "load ends well");
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
