//! The real program, as a process of its own with a new data folder.

use std::{
    fs,
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context, bail};
use load::{Plan, Shares, report::Report};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING};
use rest::Target;
use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;
use testing::binary;
use tokio_util::sync::CancellationToken;

/// Starts a system with its data in this folder, on these ports: REST of the event service and of the booking service, then their ops ports,
/// then the page.
pub(crate) type Program = fn(&Path, [u16; 5]) -> Command;

/// How long the system may take to start, and to answer a request.
const START_TIMEOUT: Duration = Duration::from_secs(20);

pub(crate) struct System {
    /// Not in /tmp, which may be no disk: an fsync must cost what it costs.
    folder: TempDir,
    ports: [u16; 5],
    program: Program,
    child: Child,
    /// From the start of the process until both services said that they are ready.
    pub(crate) ready_ms: f64,
    client: reqwest::Client,
}

impl System {
    pub(crate) async fn start() -> anyhow::Result<Self> {
        Self::of(myevents).await
    }

    pub(crate) async fn of(program: Program) -> anyhow::Result<Self> {
        Self::start_in(tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?, program).await
    }

    async fn start_in(folder: TempDir, program: Program) -> anyhow::Result<Self> {
        // All at once, so that they differ.
        let free = [(); 5].map(|()| TcpListener::bind("127.0.0.1:0").and_then(|free| Ok((free.local_addr()?, free))));
        let mut ports = [0; 5];
        for (port, free) in ports.iter_mut().zip(free) {
            *port = free?.0.port();
        }
        let client = reqwest::Client::builder().no_proxy().timeout(START_TIMEOUT).build()?;
        let began = Instant::now();
        let child = program(folder.path(), ports).stdin(Stdio::null()).stdout(Stdio::null()).spawn()?;
        let mut system = Self { folder, ports, program, child, ready_ms: 0.0, client };
        for ops in [ports[2], ports[3]] {
            system.ready(ops, began).await?;
        }
        system.ready_ms = began.elapsed().as_secs_f64() * 1000.0;
        Ok(system)
    }

    async fn ready(&mut self, ops: u16, began: Instant) -> anyhow::Result<()> {
        let url = format!("http://127.0.0.1:{ops}/readyz");
        while !self.client.get(&url).send().await.is_ok_and(|response| response.status() == 200) {
            if began.elapsed() > START_TIMEOUT || self.child.try_wait()?.is_some() {
                bail!("{:?} does not become ready", (self.program)(self.folder.path(), self.ports));
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        Ok(())
    }

    /// Ends it, politely or by a kill, and starts it on the same folder.
    pub(crate) async fn restart(mut self, signal: Signal) -> anyhow::Result<Self> {
        self.end(signal)?;
        // The folder outlives this value; the process has ended.
        let empty = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))?;
        let folder = std::mem::replace(&mut self.folder, empty);
        Self::start_in(folder, self.program).await
    }

    fn end(&mut self, signal: Signal) -> anyhow::Result<()> {
        if self.child.try_wait()?.is_none() {
            kill_process(Pid::from_child(&self.child), signal)?;
            self.child.wait()?;
        }
        Ok(())
    }

    pub(crate) fn events(&self) -> anyhow::Result<Target> {
        target(self.ports[0])
    }

    pub(crate) fn bookings(&self) -> anyhow::Result<Target> {
        target(self.ports[1])
    }

    /// The page's address.
    pub(crate) fn page(&self) -> String {
        format!("http://127.0.0.1:{}", self.ports[4])
    }

    /// Books here, see [`book`].
    pub(crate) async fn book(&self, connections: u32, events: u32, duration: Duration) -> anyhow::Result<Report> {
        book(self.events()?, self.bookings()?, connections, events, duration).await
    }

    /// What the booking service's ops port answers, with these headers `Accept` and `Accept-Encoding`.
    pub(crate) async fn ops(&self, path: &str, accept: &str, encoding: &str) -> anyhow::Result<Vec<u8>> {
        let request = self.client.get(format!("http://127.0.0.1:{}{path}", self.ports[3]));
        let request = request.header(ACCEPT, accept).header(ACCEPT_ENCODING, encoding);
        Ok(request.send().await?.error_for_status()?.bytes().await?.to_vec())
    }

    /// The value of a metric without labels.
    pub(crate) async fn metric(&self, name: &str) -> anyhow::Result<f64> {
        let text = String::from_utf8(self.ops("/metrics", "text/plain", "identity").await?)?;
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.trim().parse().ok());
        value.with_context(|| format!("{name} is not in /metrics"))
    }

    /// Resident memory in MB (of a million bytes).
    pub(crate) fn memory_mb(&self) -> anyhow::Result<f64> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kb: f64 = line.context("no VmRSS")?.trim().trim_end_matches("kB").trim().parse()?;
        Ok(kb * 1024.0 / 1e6)
    }
}

impl Drop for System {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn myevents(folder: &Path, ports: [u16; 5]) -> Command {
    let mut command = Command::new(binary::myevents());
    for (option, port) in
        ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr", "--page-addr"]
            .iter()
            .zip(ports)
    {
        command.arg(option).arg(format!("127.0.0.1:{port}"));
    }
    command.arg("--data-dir").arg(folder.join("data")).args(["--empty", "--rust-log", "warn"]).env_clear();
    command
}

fn target(port: u16) -> anyhow::Result<Target> {
    Target::parse(&format!("http://127.0.0.1:{port}")).context("it is an address")
}

/// Books from so many connections, half of it under keys, and does nothing else.
pub(crate) async fn book(
    events: Target,
    bookings: Target,
    connections: u32,
    event_count: u32,
    duration: Duration,
) -> anyhow::Result<Report> {
    let plan = plan(events, bookings, connections, event_count, duration);
    let report = load::perform(plan, CancellationToken::new()).await?;
    if report.unexpected.count > 0 || report.unanswered > 0 {
        bail!("bookings went wrong: {report:?}");
    }
    Ok(report)
}

/// The plan of that.
pub(crate) fn plan(events: Target, bookings: Target, connections: u32, event_count: u32, duration: Duration) -> Plan {
    Plan {
        events: vec![events],
        bookings: vec![bookings],
        connections,
        rate: None,
        fill_rate: None,
        duration: Some(duration),
        patience: Duration::ZERO,
        event_count,
        capacity: None,
        names: "Bench".into(),
        shares: Shares { reads: 0, bookings: 1, repeats: 0, cancels: 0, bad: 0 },
        keyed: 50,
        record: None,
        seen: None,
    }
}
