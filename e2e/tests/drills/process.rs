//! A program that a drill starts, kills and starts again.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{LazyLock, Mutex},
    time::Duration,
};

use e2e::{Api, eventually, ports, signal};

/// Several drills run at once, on two processors.
const STARTS: Duration = Duration::from_secs(60);

/// One that nobody else here gets, to come back to after a kill.
pub(crate) fn port() -> u32 {
    static FREE: LazyLock<Mutex<Box<dyn Iterator<Item = u32> + Send>>> =
        LazyLock::new(|| Mutex::new(Box::new(ports::reserved())));
    FREE.lock().unwrap().next().expect("so many are free")
}

/// A running program, or the place where one was; dropping it kills it.
pub(crate) struct Process {
    command: Command,
    log: PathBuf,
    child: Option<Child>,
}

impl Process {
    /// Its log goes into the folder, under its name.
    pub(crate) fn start(folder: &Path, name: &str, mut command: Command) -> Self {
        command.current_dir(folder).stdin(Stdio::null());
        let mut process = Self { command, log: folder.join(format!("{name}.log")), child: None };
        process.start_again();
        process
    }

    pub(crate) fn start_again(&mut self) {
        assert!(self.child.is_none(), "it still runs");
        let log = File::options().create(true).append(true).open(&self.log).unwrap();
        self.command.stdout(log.try_clone().unwrap()).stderr(log);
        self.child = Some(self.command.spawn().unwrap_or_else(|cause| panic!("{:?}: {cause}", self.command)));
    }

    /// SIGTERM, and the end.
    pub(crate) fn stop(&mut self) {
        let mut child = self.child.take().expect("it runs");
        signal::send("TERM", &child);
        child.wait().unwrap();
    }

    /// `kill -9`.
    pub(crate) fn kill(&mut self) {
        let mut child = self.child.take().expect("it runs");
        child.kill().unwrap();
        child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
        if std::thread::panicking() {
            let log = fs::read_to_string(&self.log).unwrap_or_default();
            let lines: Vec<_> = log.lines().collect();
            let last = lines[lines.len().saturating_sub(15)..].join("\n");
            eprintln!("the end of {}:\n{last}", self.log.display());
        }
    }
}

/// Waits until somebody answers there with 200.
pub(crate) async fn answers(api: &Api, path: &str) {
    eventually(STARTS, &format!("an answer at {}{path}", api.address()), async || {
        // A client that finds nobody panics; a bare connection does not.
        tokio::net::TcpStream::connect(api.address()).await.ok()?;
        (api.get(path).await.status == 200).then_some(())
    })
    .await;
}
