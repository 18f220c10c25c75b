//! A `myevents` process that a test starts again and again on the same folder: to kill it, or to watch it from below.
//!
//! [`System`](crate::System) is the simple way; this one is for tests that choose the ports, the environment or a program
//! to run it under.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc,
    time::{Duration, Instant},
};

use crate::{Api, binary, start_page::Addresses};

const START: Duration = Duration::from_secs(30);

/// How to start one. `Default` is: free ports, nothing in the environment, three sample events.
#[derive(Clone, Default)]
pub struct Plan {
    /// The ports of an earlier process, to come back on the same ones.
    pub addresses: Option<Addresses>,
    /// Environment variables.
    pub env: Vec<(&'static str, String)>,
    /// A program and its arguments to run it under, like `strace`.
    pub under: Vec<String>,
}

/// A running process; dropping it kills it.
pub struct Server {
    /// Where it listens.
    pub addresses: Addresses,
    child: Child,
    log: PathBuf,
}

impl Server {
    /// Starts it on `folder/data`, logging to `folder/log`, and waits for the start page. `Err` has the exit status
    /// where it ended before.
    pub fn start(folder: &Path, plan: &Plan) -> Result<Self, ExitStatus> {
        let log = folder.join("log");
        let program = binary::myevents();
        let mut command = match plan.under.split_first() {
            None => Command::new(program),
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        let origin = |of: fn(&Addresses) -> &String| {
            let known = plan.addresses.as_ref().map(of).filter(|address| !address.is_empty());
            known.map_or("127.0.0.1:0", |address| address.trim_start_matches("http://"))
        };
        command.args(["--events-addr", origin(|a| &a.events), "--bookings-addr", origin(|a| &a.bookings)]);
        command.args([
            "--events-ops-addr",
            origin(|a| &a.events_ops),
            "--bookings-ops-addr",
            origin(|a| &a.bookings_ops),
            "--page-addr",
            origin(|a| &a.page),
        ]);
        command.arg("--empty").arg("--data-dir").arg(folder.join("data"));
        command.env_clear().envs(plan.env.iter().map(|(name, value)| (name, value)));
        command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log).expect("the folder can be written"));
        let mut child = command.spawn().expect("myevents starts");
        let (sender, lines) = mpsc::channel();
        let stdout = child.stdout.take().expect("stdout is a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let mut server = Self { addresses: Addresses::default(), child, log };
        let began = Instant::now();
        while !server.addresses.complete() {
            match lines.recv_timeout(START.saturating_sub(began.elapsed())) {
                Ok(line) => server.addresses.read(&line),
                Err(mpsc::RecvTimeoutError::Disconnected) => return Err(server.wait()),
                Err(mpsc::RecvTimeoutError::Timeout) => panic!("no start page within {START:?}:\n{}", server.log()),
            }
        }
        Ok(server)
    }

    /// REST of the event service.
    pub fn events(&self) -> Api {
        Api::new(&self.addresses.events)
    }

    /// REST of the booking service.
    pub fn bookings(&self) -> Api {
        Api::new(&self.addresses.bookings)
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Its end, which must come by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.child.wait().expect("it is our child")
    }

    /// Whether it was killed meanwhile, and by which signal.
    pub fn signal(&mut self) -> Option<i32> {
        self.child.try_wait().expect("it is our child")?.signal()
    }

    /// What it has logged.
    pub fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
        if std::thread::panicking() {
            eprintln!("the log of the system under test:\n{}", self.log());
        }
    }
}
