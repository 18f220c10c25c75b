//! The program as a value: started on free ports and a folder of the test's own, asked over HTTP, killed when dropped.

use std::{
    ffi::OsStr,
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, ExitStatus, Stdio},
    time::{Duration, Instant},
};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tempfile::TempDir;

/// Long enough for a debug build on a busy machine; nothing waits that long when all is well.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// The options that are given free ports.
const PORTS: [&str; 4] = ["--events-addr", "--bookings-addr", "--events-ops-addr", "--bookings-ops-addr"];

/// Asks again until there is an answer.
pub(crate) async fn eventually<T>(deadline: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> T {
    let began = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return answer;
        }
        assert!(began.elapsed() < deadline, "{what}: not within {deadline:?}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

pub(crate) fn client() -> reqwest::Client {
    reqwest::Client::builder().no_proxy().timeout(DEADLINE).build().unwrap()
}

/// The body of `GET`, if the status is 200.
pub(crate) async fn get(url: &str) -> Option<Value> {
    let response = client().get(url).send().await.ok()?;
    if response.status() == 200 { response.json().await.ok() } else { None }
}

/// A run of the program.
pub(crate) struct MyEvents {
    child: Child,
    output: TempDir,
}

impl MyEvents {
    /// Starts it on free ports and waits for the start page. An address among the arguments
    /// takes the place of a free one.
    pub(crate) async fn start(folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn(folder, arguments, &[]).started().await
    }

    /// The same with this as standard error.
    pub(crate) async fn start_with_stderr(stderr: Stdio, folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn_with(None, Some(stderr), folder, arguments, &[]).started().await
    }

    /// The same with the folder's name alone, by `DATA_DIR`, in the folder that holds it.
    pub(crate) async fn start_beside(folder: &Path) -> Self {
        let name = folder.file_name().unwrap().to_str().unwrap();
        Self::spawn(folder, &["--empty"], &[("DATA_DIR", name)]).started().await
    }

    async fn started(mut self) -> Self {
        eventually(DEADLINE, "the start page", async || {
            let end = self.child.try_wait().unwrap();
            assert!(end.is_none(), "it ended instead of starting: {}", self.log());
            self.page().contains("Ctrl-C").then_some(())
        })
        .await;
        self
    }

    /// Runs it where it must not start: exit code 1, no start page. Gives what it said on standard error.
    pub(crate) async fn refused(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> String {
        let mut run = Self::spawn(folder, arguments, variables);
        let status = run.end().await;
        assert_eq!(status.code(), Some(1), "{}", run.log());
        assert_eq!(run.page(), "");
        run.log()
    }

    fn spawn(folder: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        Self::spawn_with(None, None, folder, arguments, variables)
    }

    /// Starts it with this as standard output, and waits for nothing.
    pub(crate) fn with_stdout(stdout: Stdio, folder: &Path, arguments: &[&str]) -> Self {
        Self::spawn_with(Some(stdout), None, folder, arguments, &[])
    }

    fn spawn_with(
        out: Option<Stdio>,
        err: Option<Stdio>,
        folder: &Path,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> Self {
        let output = tempfile::tempdir().unwrap();
        let file = |name| Stdio::from(File::create(output.path().join(name)).unwrap());
        let (out, err) = (out.unwrap_or(file("out")), err.unwrap_or(file("err")));
        let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
        for option in PORTS.into_iter().filter(|option| !arguments.contains(option)) {
            // A variable under test must not be hidden by an option of ours.
            let variable = option.trim_start_matches('-').to_uppercase().replace('-', "_");
            if !variables.iter().any(|(name, _)| *name == variable) {
                command.args([option, "127.0.0.1:0"]);
            }
        }
        if variables.iter().all(|(name, _)| *name != "DATA_DIR") {
            command.arg("--data-dir").arg(folder);
        }
        command.args(arguments);
        // Nothing of the developer's environment.
        command.env_clear().envs(variables.iter().copied()).stdin(Stdio::null());
        command.current_dir(folder.ancestors().skip(1).find(|place| place.is_dir()).unwrap());
        let child = command.stdout(out).stderr(err).spawn().unwrap();
        Self { child, output }
    }

    /// Standard output so far.
    pub(crate) fn page(&self) -> String {
        self.read("out")
    }

    /// Standard error so far.
    pub(crate) fn log(&self) -> String {
        self.read("err")
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.output.path().join(name)).unwrap()
    }

    /// The event service's REST, from the start page.
    pub(crate) fn events(&self) -> String {
        self.url("event service", "http://")
    }

    /// The booking service's REST, likewise.
    pub(crate) fn bookings(&self) -> String {
        self.url("booking service", "http://")
    }

    /// All four ports: `127.0.0.1:1234`.
    pub(crate) fn ports(&self) -> Vec<String> {
        let ops = |line| self.url(line, "metrics http://").replace("/metrics", "").replace("metrics ", "");
        let urls = [self.events(), self.bookings(), ops("event service"), ops("booking service")];
        urls.iter().map(|url| url.trim_start_matches("http://").to_owned()).collect()
    }

    /// The options by which a job finds the ops ports.
    pub(crate) fn ops_options(&self) -> Vec<String> {
        let ports = self.ports();
        let option = |name: &str, port: &str| vec![name.to_owned(), format!("http://{port}")];
        [option("--events-ops-url", &ports[2]), option("--bookings-ops-url", &ports[3])].concat()
    }

    /// The options by which a job finds all ports.
    pub(crate) fn url_options(&self) -> Vec<String> {
        let rest = ["--events-url".into(), self.events(), "--bookings-url".into(), self.bookings()];
        [rest.to_vec(), self.ops_options()].concat()
    }

    fn url(&self, line: &str, beginning: &str) -> String {
        let page = self.page();
        let line = page.lines().find(|l| l.contains(line)).unwrap_or_else(|| panic!("no {line} in {page}"));
        let url = &line[line.find(beginning).unwrap()..];
        let (first, rest) = url.split_at(beginning.len());
        first.to_owned() + rest.split_whitespace().next().unwrap()
    }

    /// The booking command of the start page, if it has one.
    pub(crate) fn booking_command(&self) -> Option<String> {
        self.page().lines().map(str::trim).find(|line| line.contains(r#""seats": "#)).map(str::to_owned)
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        kill_process(Pid::from_child(&self.child), signal).unwrap();
    }

    /// Waits for the end.
    pub(crate) async fn end(&mut self) -> ExitStatus {
        eventually(DEADLINE, "the end", async || self.child.try_wait().unwrap()).await
    }

    /// SIGTERM, and the end, which must be a good one.
    pub(crate) async fn stop(mut self) {
        self.signal(Signal::TERM);
        assert!(self.end().await.success(), "{}", self.log());
    }

    /// `kill -9`.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for MyEvents {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Says that a test was not run, and how to get what it needs; `.ci/test` makes its last lines of these. The same as
/// `not_run` of `e2e`, which cannot be used here: it knows no crate of the system, and is known by none.
pub(crate) fn not_run(what_and_how_to_get_it: &str) {
    let line = format!("not run: {what_and_how_to_get_it}");
    println!("{line}");
    let Some(path) = std::env::var_os("NOT_RUN_FILE") else { return };
    let mut file = File::options().create(true).append(true).open(path).unwrap();
    std::io::Write::write_all(&mut file, format!("{line}\n").as_bytes()).unwrap();
}

/// A data folder that is not there yet.
pub(crate) fn new_folder() -> (TempDir, PathBuf) {
    let place = tempfile::tempdir().unwrap();
    let folder = place.path().join("data");
    (place, folder)
}

/// Creates an event that begins and ends so many hours from now.
pub(crate) async fn create_event(run: &MyEvents, name: &str, hours: (i64, i64), capacity: u64) -> String {
    create_event_at(&run.events(), name, hours, capacity).await
}

/// The same at the event service's URL.
pub(crate) async fn create_event_at(rest: &str, name: &str, hours: (i64, i64), capacity: u64) -> String {
    let at = |hours| format!("{:.3}", jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours));
    let (start, end) = (at(hours.0), at(hours.1));
    let body = serde_json::json!({ "name": name, "start_date": start, "end_date": end, "capacity": capacity });
    let response = client().post(format!("{rest}/events")).json(&body).send().await.unwrap();
    assert_eq!(response.status(), 201);
    response.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
}

/// Books, when the event has arrived; gives the booking's id.
pub(crate) async fn book(run: &MyEvents, event: &str, seats: u64) -> String {
    let url = format!("{}/events/{event}/bookings", run.bookings());
    let body = serde_json::json!({ "seats": seats });
    let booking: Value = eventually(DEADLINE, "a booking", async || {
        let response = client().post(&url).json(&body).send().await.unwrap();
        (response.status() == 201).then_some(response)
    })
    .await
    .json()
    .await
    .unwrap();
    booking["id"].as_str().unwrap().to_owned()
}

/// Waits until the event service has heard of so many booked seats.
pub(crate) async fn view_shows(run: &MyEvents, event: &str, seats: u64) {
    let url = format!("{}/events/{event}", run.events());
    eventually(DEADLINE, "the event service's view", async || {
        get(&url).await.filter(|event| event["booked_seats"] == seats)
    })
    .await;
}

/// What a job of the program said, and how it ended.
pub(crate) struct Job {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Job {
    /// Runs `myevents` with these arguments to its end.
    pub(crate) fn run<A: AsRef<OsStr>>(arguments: impl IntoIterator<Item = A>) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_myevents"));
        let output = command.env_clear().args(arguments).stdin(Stdio::null()).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Its standard output, if it ended with 0.
    pub(crate) fn well(self) -> String {
        assert_eq!(self.code, Some(0), "{}{}", self.out, self.err);
        self.out
    }
}
