//! What stands beside the services, as a process: `myevents page`, `bridge` or `inbox`. It is ready when its log says so.

use std::{
    fs::{self, File},
    process::{Child, Command, Stdio},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::NamedTempFile;

use crate::helpers::{DEADLINE, eventually};

/// A running one; killed when dropped.
pub(crate) struct Program {
    child: Child,
    log: NamedTempFile,
}

impl Program {
    /// Starts it, and waits until it is ready.
    pub(crate) async fn start(arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = NamedTempFile::new().unwrap();
        let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
        command.env_clear().env("LOG_FORMAT", "json").envs(variables.iter().copied()).args(arguments);
        let err = File::create(log.path()).unwrap();
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(err).spawn().unwrap();
        let mut run = Self { child, log };
        eventually(DEADLINE, "it is ready", async || {
            assert!(run.child.try_wait().unwrap().is_none(), "it ended: {}", run.logged());
            run.ready()
        })
        .await;
        run
    }

    pub(crate) fn logged(&self) -> String {
        fs::read_to_string(self.log.path()).unwrap()
    }

    fn ready(&self) -> Option<Value> {
        let lines: Vec<Value> = self.logged().lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
        lines.into_iter().find(|line| line["message"].as_str().is_some_and(|text| text.starts_with("ready")))
    }

    /// A field of the line that says that it is ready: where it is.
    pub(crate) fn at(&self, field: &str) -> String {
        self.ready().unwrap()[field].as_str().unwrap().trim_start_matches("http://").to_owned()
    }

    pub(crate) async fn stop(mut self) {
        kill_process(Pid::from_child(&self.child), Signal::TERM).unwrap();
        let end = eventually(DEADLINE, "its end", async || self.child.try_wait().unwrap()).await;
        assert!(end.success(), "{}", self.logged());
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Asks it as a container's health check does: the exit code, and what was said.
pub(crate) fn healthcheck(what: &str, variable: (&str, &str)) -> (Option<i32>, String) {
    let mut check = Command::new(env!("CARGO_BIN_EXE_myevents"));
    let output = check.args(["healthcheck", what]).env_clear().envs([variable]).output().unwrap();
    (output.status.code(), String::from_utf8(output.stderr).unwrap())
}
