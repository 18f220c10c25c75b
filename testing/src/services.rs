//! Both services as processes of their own, on servers that the caller has found. For tests and benchmarks.

use std::{
    fs::{self, File},
    path::Path,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;
use tempfile::TempDir;

/// How long a service may take to start: a debug build on a busy machine, with servers that have just started.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// Both services, running.
pub struct Services {
    pub events: Process,
    pub bookings: Process,
    _folder: TempDir,
}

/// One of them; dropping it kills it.
pub struct Process {
    /// `http://127.0.0.1:1234`
    pub rest: String,
    pub ops: String,
    child: Child,
}

impl Services {
    /// Starts them and waits until both are connected. `program` makes the command of a service; `mongo` makes the URL of a database; without it they store in files.
    pub async fn start(program: impl Fn(&str) -> Command, amqp: &str, mongo: Option<&dyn Fn(&str) -> String>) -> Self {
        let folder = tempfile::tempdir_in(crate::target_tmp()).unwrap();
        let start = |service: &str| {
            Process::start(program(service), folder.path(), service, amqp, mongo.map(|url| url(service)))
        };
        let (events, bookings) = (start("eventservice"), start("bookingservice"));
        let services = Self { events, bookings, _folder: folder };
        for process in [&services.events, &services.bookings] {
            process.connected().await;
        }
        services
    }
}

impl Process {
    fn start(mut command: Command, folder: &Path, service: &str, amqp: &str, mongo: Option<String>) -> Self {
        let log = folder.join(service);
        command.env_clear().env("AMQP_BROKER_URL", amqp).envs(mongo.map(|url| ("MONGO_URL", url)));
        command.envs([("LISTEN_ADDR", "127.0.0.1:0"), ("OPS_ADDR", "127.0.0.1:0"), ("LOG_FORMAT", "json")]);
        command.env("DATA_DIR", folder);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(File::create(&log).unwrap());
        let (mut child, began) = (command.spawn().unwrap(), Instant::now());
        loop {
            let logged = fs::read_to_string(&log).unwrap();
            let mut lines = logged.lines().filter_map(|line| serde_json::from_str::<Value>(line).ok());
            if let Some(ready) = lines.find(|line| line["message"] == "ready") {
                let url = |field: &str| format!("http://{}", ready[field].as_str().unwrap());
                return Self { rest: url("rest"), ops: url("ops"), child };
            }
            let end = child.try_wait().unwrap();
            assert!(end.is_none() && began.elapsed() < START_TIMEOUT, "{service} does not start ({end:?}):\n{logged}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// Waits until it serves and has its broker.
    async fn connected(&self) {
        let began = Instant::now();
        loop {
            let report = reqwest::get(format!("{}/readyz", self.ops)).await.unwrap();
            let ready = report.status() == 200;
            let report: Value = report.json().await.unwrap();
            if ready && report["checks"]["broker"]["ok"] == true {
                return;
            }
            assert!(began.elapsed() < START_TIMEOUT, "it does not become ready: {report}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
