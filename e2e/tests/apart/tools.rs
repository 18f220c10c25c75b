//! The tools of the command line, on a system of many processes.

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
};

use e2e::binary;

use crate::{replica::Replica, world::World};

/// Addresses of replicas, as an option takes them.
fn list<'r>(urls: impl Iterator<Item = &'r String>) -> String {
    urls.map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The options that tell where its REST is.
fn rest_options(world: &World) -> [String; 4] {
    let rest = |replicas: &[Replica]| list(replicas.iter().map(|replica| &replica.urls.0));
    ["--events-url".into(), rest(&world.events), "--bookings-url".into(), rest(&world.bookings)]
}

/// The options that tell where its ops ports are.
fn ops_options(world: &World) -> [String; 4] {
    let ops = |replicas: &[Replica]| list(replicas.iter().map(|replica| &replica.urls.1));
    ["--events-ops-url".into(), ops(&world.events), "--bookings-ops-url".into(), ops(&world.bookings)]
}

/// Runs `myevents` to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    Command::new(binary::myevents()).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

/// `myevents dead …`; what it said, if it ended well.
pub(crate) fn dead(world: &World, what: &[&str]) -> String {
    let what = ["dead"].iter().chain(what).map(|text| (*text).to_owned());
    said(&run(what.chain(ops_options(world))))
}

/// `myevents verify` on the running system, with more arguments: all must be well.
#[track_caller]
pub(crate) fn verify(world: &World, more: &[&str]) -> String {
    let more = more.iter().map(|text| (*text).to_owned());
    said(&run(["verify".to_owned()].into_iter().chain(rest_options(world)).chain(ops_options(world)).chain(more)))
}

/// What it said, if it ended well; else all of it in the panic.
#[track_caller]
pub(crate) fn said(output: &Output) -> String {
    let told = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    told
}

/// A running `myevents load` that records what it was answered.
pub(crate) struct Load {
    child: Child,
    record: PathBuf,
}

impl Load {
    /// Books, repeats and cancels at all replicas until it is stopped.
    pub(crate) fn start(world: &World, folder: &Path, more: &[&str]) -> Self {
        let record = folder.join("record");
        let mut command = Command::new(binary::myevents());
        command.arg("load").args(rest_options(world)).args(["--duration", "0", "--events", "5", "--capacity", "5000"]);
        command.args(["--reads", "5", "--bookings", "60", "--repeats", "10", "--cancels", "25", "--bad", "0"]);
        command.args(more).arg("--record").arg(&record).env_clear().stdin(Stdio::null());
        let child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().unwrap();
        Self { child, record }
    }

    /// The file that it writes.
    pub(crate) fn record(&self) -> &str {
        self.record.to_str().unwrap()
    }

    /// How many lines of a kind the record has, `booked` or `unanswered_` for example.
    pub(crate) fn recorded(&self, kind: &str) -> usize {
        let record = fs::read_to_string(&self.record).unwrap_or_default();
        record.matches(&format!("\"line\":\"{kind}")).count()
    }

    /// Ctrl-C; it then ends by itself.
    pub(crate) fn stop(&mut self) {
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
