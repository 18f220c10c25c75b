//! A clone of this repository made with a strict umask, and `docker compose` in it.

use std::{
    cell::Cell,
    fs,
    os::unix::fs::PermissionsExt,
    path::Path,
    process::Command,
    time::{Duration, Instant},
};

use e2e::{Api, dashboard::workspace};
use tempfile::TempDir;

/// A name of our own: `down -v` must not take away what somebody has under `myevents`.
const PROJECT: &str = "myevents-test";

/// The container that makes the load and writes down every answer it got. Compose does not know it, so it is taken away by its name.
pub(crate) const RECORDER: &str = "myevents-test-recorder";

/// The running system.
pub(crate) struct Stack {
    place: TempDir,
    files: Vec<String>,
    /// What Docker had before.
    before: Vec<String>,
    /// Whether the profile `exporters` is on.
    exporters: Cell<bool>,
    last_step: Cell<Instant>,
    ended: Cell<bool>,
}

impl Stack {
    /// Makes the clone. `more` are files on top of `docker-compose.yml`; so are those that `COMPOSE_TEST_FILES` names.
    pub(crate) fn clone_here(more: &[&str]) -> Self {
        let place = tempfile::tempdir().unwrap();
        let target = place.path().join("clone");
        let status = Command::new(workspace().join(".ci/strict-clone")).arg(&target).status().unwrap();
        assert!(status.success(), "the clone cannot be made");
        let mode = fs::metadata(target.join("secrets/dev/amqp-broker-url")).unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "the clone is as a strict umask makes it");

        let given = std::env::var("COMPOSE_TEST_FILES").unwrap_or_default();
        let files = ["docker-compose.yml"].into_iter().chain(given.split(':')).chain(more.iter().copied());
        let files = files.filter(|file| !file.is_empty()).map(str::to_owned).collect();
        let (exporters, last_step, ended) = (Cell::new(false), Cell::new(Instant::now()), Cell::new(false));
        let mut stack = Self { place, files, before: Vec::new(), exporters, last_step, ended };
        stack.compose(&["--profile", "exporters", "down", "--volumes", "--remove-orphans"]); // what an interrupted run left
        stack.before = there();
        stack
    }

    /// A folder beside the clone where containers may write.
    pub(crate) fn folder(&self, name: &str) -> String {
        let folder = self.place.path().join(name);
        fs::create_dir_all(&folder).unwrap();
        for open in [self.place.path(), &folder] {
            fs::set_permissions(open, fs::Permissions::from_mode(0o777)).unwrap();
        }
        folder.to_str().unwrap().to_owned()
    }

    /// Builds the images; a first time takes minutes.
    pub(crate) fn build(&self) {
        self.compose(&["build"]);
        self.step("images built");
    }

    /// Starts what is not running, as a user does, and waits until all is healthy.
    pub(crate) fn up(&self, arguments: &[&str]) {
        let began = Instant::now();
        let arguments = [&["up", "--detach", "--wait", "--wait-timeout", "180"], arguments].concat();
        self.compose(&arguments);
        println!("      healthy after {:.1} s", began.elapsed().as_secs_f64());
        self.step(&arguments.join(" "));
    }

    /// The same with the profile `exporters`. Gives the Prometheus jobs of those exporters that there are.
    pub(crate) fn up_with_exporters(&self, arguments: &[&str]) -> Vec<&'static str> {
        self.exporters.set(true);
        self.up(arguments);
        let jobs = [("node-exporter", "node"), ("mongodb-exporter", "mongodb"), ("pushgateway", "pushgateway")];
        jobs.into_iter().filter(|(service, _)| self.has(service)).map(|(_, job)| job).collect()
    }

    /// Takes all away, and checks that it is.
    pub(crate) fn down(&self) {
        self.compose(&["down", "--volumes"]);
        self.ended.set(true);
        assert_eq!(there(), self.before, "what is there after down, and what was there before");
        self.step("down leaves nothing");
    }

    /// Whether there is such a service, profiles taken into account.
    pub(crate) fn has(&self, service: &str) -> bool {
        self.compose(&["config", "--services"]).lines().any(|line| line == service)
    }

    /// What listens on a published port, of the first replica. The port is asked for: from a range Docker gives another one
    /// after each start.
    pub(crate) fn api(&self, service: &str, port: u16) -> Api {
        let published = self.compose(&["port", service, &port.to_string()]);
        Api::new(&format!("http://{}", published.trim()))
    }

    /// The containers that run, by name.
    pub(crate) fn containers(&self) -> Vec<String> {
        let names = self.compose(&["ps", "--format", "{{.Name}}"]);
        names.lines().map(str::to_owned).collect()
    }

    /// `docker compose …`: what it printed, or a panic with what it complained of.
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        let (status, printed) = self.try_compose(arguments);
        if !status {
            let log = self.try_compose(&["logs", "--tail", "25"]).1;
            panic!("docker compose {}: {printed}\n{log}", arguments.join(" "));
        }
        printed
    }

    /// The same where it may fail.
    pub(crate) fn try_compose(&self, arguments: &[&str]) -> (bool, String) {
        let mut compose = Command::new("docker");
        compose.current_dir(self.clone_folder()).env("TAG", "test").args(["compose", "--project-name", PROJECT]);
        for file in &self.files {
            compose.args(["--file", file]);
        }
        if self.exporters.get() {
            compose.args(["--profile", "exporters"]); // `down`, too, takes away only what the profiles name
        }
        output_of(compose.args(["--progress", "quiet"]).args(arguments))
    }

    /// Where the clone is.
    pub(crate) fn clone_folder(&self) -> std::path::PathBuf {
        Path::new(self.place.path()).join("clone")
    }

    /// Says what was reached, and how long it took.
    pub(crate) fn step(&self, what: &str) {
        let took: Duration = self.last_step.replace(Instant::now()).elapsed();
        println!("{:5.1} s  {what}", took.as_secs_f64());
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        if !self.ended.get() {
            docker(&["rm", "--force", RECORDER]);
            self.exporters.set(true);
            self.try_compose(&["down", "--volumes", "--remove-orphans"]);
        }
    }
}

/// All containers, volumes and networks, with a name or without.
fn there() -> Vec<String> {
    let lists = [&["ps", "--all", "--quiet"][..], &["volume", "ls", "--quiet"], &["network", "ls", "--quiet"]];
    let mut all: Vec<_> =
        lists.iter().flat_map(|list| docker(list).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
    all.sort();
    all
}

/// `docker …`: what it printed.
pub(crate) fn docker(arguments: &[&str]) -> String {
    let (status, printed) = output_of(Command::new("docker").args(arguments));
    assert!(status, "docker {}: {printed}", arguments.join(" "));
    printed
}

/// Whether it went well, and then its output; else its complaints, too.
fn output_of(command: &mut Command) -> (bool, String) {
    let output = command.output().unwrap_or_else(|cause| panic!("docker cannot be run: {cause}"));
    let (well, mut text) = (output.status.success(), String::from_utf8_lossy(&output.stdout).into_owned());
    let logs = command.get_args().any(|argument| argument == "logs"); // a container's standard error is ours
    if logs || !well {
        text.push_str(&String::from_utf8_lossy(&output.stderr));
    }
    (well, text)
}
