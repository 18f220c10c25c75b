//! One process of a service: started, killed, stopped in order, and started again on what it left.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use crate::{Api, binary, signal};
use serde_json::Value;

/// A debug build on a busy machine may take this long to start.
const START: Duration = Duration::from_secs(30);

/// What it must stop within.
pub const STOP: Duration = Duration::from_secs(10);

/// How to start one.
#[derive(Clone, Default)]
pub struct Plan {
    /// `eventservice` or `bookingservice`.
    pub service: &'static str,
    /// Its environment; there is nothing else in it.
    pub env: Vec<(&'static str, String)>,
    /// REST and ops; free ones where they are 0.
    pub ports: (u32, u32),
}

/// A process, or the place where one was; dropping it kills it.
pub struct Replica {
    /// How it is started.
    pub plan: Plan,
    /// Where it answers callers.
    pub rest: Api,
    /// Its ops port.
    pub ops: Api,
    /// `http://127.0.0.1:1234`, of both.
    pub urls: (String, String),
    folder: PathBuf,
    child: Option<Child>,
    starts: usize,
}

impl Replica {
    /// Starts it in a folder of its own, and waits until it says where it listens.
    pub fn start(folder: &Path, plan: Plan) -> Self {
        fs::create_dir_all(folder).unwrap();
        let nowhere = || Api::new("http://127.0.0.1:1");
        let (rest, ops, urls) = (nowhere(), nowhere(), Default::default());
        let mut replica = Self { plan, rest, ops, urls, folder: folder.to_owned(), child: None, starts: 0 };
        replica.start_again();
        replica
    }

    /// Starts it again.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        self.starts += 1;
        let log = File::create(self.log_file()).unwrap();
        let mut command = Command::new(binary::service(self.plan.service));
        command.args(["--listen-addr", &format!("127.0.0.1:{}", self.plan.ports.0)]);
        command.args(["--ops-addr", &format!("127.0.0.1:{}", self.plan.ports.1)]);
        command.arg("--data-dir").arg(self.data());
        command.env_clear().env("LOG_FORMAT", "json").envs(self.plan.env.iter().map(|(name, value)| (name, value)));
        let child = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log).spawn().unwrap();
        let child = self.child.insert(child);
        let (began, log) = (Instant::now(), self.folder.join(format!("log-{}", self.starts)));
        let ready = loop {
            let text = fs::read_to_string(&log).unwrap();
            if let Some(line) = lines(&text).find(|line| line["message"] == "ready") {
                break line;
            }
            let end = child.try_wait().unwrap();
            assert!(end.is_none() && began.elapsed() < START, "it does not start ({end:?}):\n{text}");
            std::thread::sleep(Duration::from_millis(10));
        };
        let url = |field: &str| format!("http://{}", ready[field].as_str().unwrap());
        self.urls = (url("rest"), url("ops"));
        (self.rest, self.ops) = (Api::new(&self.urls.0), Api::new(&self.urls.1));
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// SIGTERM, and the end, which must come in time.
    pub fn stop(&mut self) -> ExitStatus {
        let mut child = self.child.take().expect("it runs");
        signal::send("TERM", &child);
        let began = Instant::now();
        loop {
            if let Some(status) = child.try_wait().unwrap() {
                return status;
            }
            if began.elapsed() > STOP {
                let _ = child.kill();
                let _ = child.wait();
                panic!("it does not stop within {STOP:?}:\n{}", self.log());
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Whether it was not ended, by us or by itself.
    pub fn runs(&mut self) -> bool {
        self.child.as_mut().is_some_and(|child| child.try_wait().unwrap().is_none())
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("it runs").id()
    }

    /// The folder of its database file.
    pub fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    /// What it has logged since it was started.
    pub fn log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// What it has logged in all its lives.
    pub fn logs(&self) -> String {
        (1..=self.starts).map(|start| fs::read_to_string(self.folder.join(format!("log-{start}"))).unwrap()).collect()
    }

    /// The lines of it with this in their message.
    pub fn logged(&self, part: &str) -> Vec<Value> {
        let log = self.log();
        lines(&log).filter(|line| line["message"].as_str().is_some_and(|message| message.contains(part))).collect()
    }

    fn log_file(&self) -> PathBuf {
        self.folder.join(format!("log-{}", self.starts))
    }
}

/// The last one may be half written.
fn lines(log: &str) -> impl Iterator<Item = Value> {
    log.lines().filter_map(|line| serde_json::from_str(line).ok())
}

impl Drop for Replica {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            eprintln!("the log of {} at {}:\n{}", self.plan.service, self.urls.0, self.log());
        }
    }
}
