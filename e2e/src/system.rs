//! The system under test: a process of our own on free ports and a folder of its own, or one that runs already.
//!
//! `E2E_EVENTS_URL`, `E2E_BOOKINGS_URL`, `E2E_EVENTS_OPS_URL` and `E2E_BOOKINGS_OPS_URL` name a running one. The tests
//! count there, so it must be freshly started and theirs alone: `--test-threads=1`.

use std::{
    fs::File,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::{Api, binary, start_page::Addresses};

/// A debug build on a busy machine may take this long to start.
const START: Duration = Duration::from_secs(30);

/// Both services.
pub struct System {
    /// REST of the event service.
    pub events: Api,
    /// REST of the booking service.
    pub bookings: Api,
    /// Ops port of the event service.
    pub events_ops: Api,
    /// Ops port of the booking service.
    pub bookings_ops: Api,
    ours: Option<Ours>,
}

/// A process that we started; it is killed when this is dropped, like `kill -9` would.
struct Ours {
    child: Child,
    folder: Arc<TempDir>,
}

impl System {
    /// Takes the running system, or starts an empty one.
    pub fn start() -> Self {
        match running() {
            Some(addresses) => Self::at(&addresses, None),
            None => Self::start_in(Arc::new(tempfile::tempdir().expect("there is a place for temporary files"))),
        }
    }

    /// Starts an empty one, for tests that count everything or break something. `None`, and a word about it, where
    /// a running system is to be tested.
    pub fn start_own(what: &str) -> Option<Self> {
        if running().is_none() {
            return Some(Self::start());
        }
        crate::not_run(&format!("{what} (needs a system of its own: unset E2E_EVENTS_URL)"));
        None
    }

    /// Kills the process and starts another one on what it left on disk.
    pub fn kill_and_start_again(mut self) -> Self {
        let ours = self.ours.take().expect("only what we started can be killed");
        let folder = ours.folder.clone();
        drop(ours);
        Self::start_in(folder)
    }

    fn start_in(folder: Arc<TempDir>) -> Self {
        let log = File::create(folder.path().join("log")).expect("the folder can be written");
        let mut command = Command::new(binary::myevents());
        for option in ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr", "--page-addr"] {
            command.args([option, "127.0.0.1:0"]);
        }
        command.arg("--empty").arg("--data-dir").arg(folder.path().join("data"));
        // Nothing of our environment: a MONGO_URL of the developer's must not be tested by accident.
        command.env_clear().env("RUST_BACKTRACE", "1");
        let child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(log).spawn().expect("myevents starts");
        let mut ours = Ours { child, folder };
        let addresses = ours.addresses();
        Self::at(&addresses, Some(ours))
    }

    fn at(addresses: &Addresses, ours: Option<Ours>) -> Self {
        Self {
            events: Api::new(&addresses.events),
            bookings: Api::new(&addresses.bookings),
            events_ops: Api::new(&addresses.events_ops),
            bookings_ops: Api::new(&addresses.bookings_ops),
            ours,
        }
    }
}

fn running() -> Option<Addresses> {
    let at = |name: &str| std::env::var(format!("E2E_{name}_URL")).ok();
    let events = at("EVENTS")?;
    let all = |name: &str| at(name).unwrap_or_else(|| panic!("E2E_EVENTS_URL is set, so set E2E_{name}_URL too"));
    Some(Addresses {
        events,
        bookings: all("BOOKINGS"),
        events_ops: all("EVENTS_OPS"),
        bookings_ops: all("BOOKINGS_OPS"),
        page: at("PAGE").unwrap_or_default(),
    })
}

impl Ours {
    /// Waits for the start page. Its thread reads on, or the process would one day wait for a reader.
    fn addresses(&mut self) -> Addresses {
        let (sender, lines) = mpsc::channel();
        let stdout = self.child.stdout.take().expect("stdout is a pipe");
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                let _ = sender.send(line);
            }
        });
        let (began, mut found) = (Instant::now(), Addresses::default());
        while !found.complete() {
            let left = START.saturating_sub(began.elapsed());
            let line = lines.recv_timeout(left);
            found.read(&line.unwrap_or_else(|_| panic!("no start page; the log says:\n{}", self.log())));
        }
        found
    }

    fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        if std::thread::panicking() {
            eprintln!("the log of the system under test:\n{}", self.log());
        }
    }
}
