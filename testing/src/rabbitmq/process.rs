//! A RabbitMQ as a process of its own, on free ports in a temporary folder. It takes commands over its standard input,
//! an Erlang shell, and ends with it: also when the tests are killed.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Child, ChildStdin, Command, Stdio},
    sync::{Mutex, MutexGuard, mpsc},
    time::Duration,
};

use crate::ports::free_port;

/// A server that was started here.
pub(super) struct Own {
    program: PathBuf,
    folder: PathBuf,
    pub(super) port: u16,
    /// Where it exports its metrics, if it does.
    pub(super) metrics: Option<u16>,
    epmd: u16,
    distribution: u16,
    running: Mutex<Option<Running>>,
    /// Clears the folder away when this process is gone, whatever ended it.
    _cleaner: Child,
}

pub(super) struct Running {
    pub(super) child: Child,
    pub(super) shell: ChildStdin,
    answers: mpsc::Receiver<String>,
}

impl Own {
    /// `watched`: with metrics for Prometheus.
    pub(super) fn new(program: PathBuf, watched: bool) -> Self {
        let folder = tempfile::tempdir().unwrap().keep();
        let metrics = watched.then(free_port);
        if let Some(port) = metrics {
            fs::write(folder.join("plugins"), "[rabbitmq_prometheus].").unwrap();
            let config = format!("prometheus.tcp.ip = 127.0.0.1\nprometheus.tcp.port = {port}\n");
            fs::write(folder.join("none.conf"), config).unwrap();
        }
        let epmd = free_port();
        // `cat` ends with this process; the node's name server has to be killed.
        let clean = r#"cat > /dev/null; sleep 2; epmd -kill > /dev/null 2>&1; rm -rf "$0""#;
        let mut cleaner = Command::new("sh");
        cleaner.args(["-c", clean]).arg(&folder).env("ERL_EPMD_PORT", epmd.to_string()).stdin(Stdio::piped());
        let cleaner = cleaner.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
        let (port, distribution) = (free_port(), free_port());
        let own =
            Self { program, folder, port, metrics, epmd, distribution, running: Mutex::new(None), _cleaner: cleaner };
        own.start();
        own
    }

    pub(super) fn url(&self) -> String {
        format!("amqp://guest:guest@127.0.0.1:{}", self.port)
    }

    pub(super) fn start(&self) {
        let at = |name: &str| self.folder.join(name).into_os_string();
        let mut child = Command::new(&self.program)
            .env("HOME", &self.folder) // the cookie is made there
            .env("ERL_EPMD_PORT", self.epmd.to_string())
            .env("ERL_EPMD_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_ALLOW_INPUT", "1")
            .env("RABBITMQ_NODENAME", format!("myevents-{}@localhost", self.port))
            .env("RABBITMQ_NODE_IP_ADDRESS", "127.0.0.1")
            .env("RABBITMQ_NODE_PORT", self.port.to_string())
            .env("RABBITMQ_DIST_PORT", self.distribution.to_string())
            .env("RABBITMQ_MNESIA_BASE", at("data"))
            .env("RABBITMQ_LOG_BASE", at("log"))
            .env("RABBITMQ_LOGS", at("log/rabbitmq.log"))
            .env("RABBITMQ_CONFIG_FILE", at("none"))
            .env("RABBITMQ_ADVANCED_CONFIG_FILE", at("none"))
            .env("RABBITMQ_CONF_ENV_FILE", at("none"))
            .env("RABBITMQ_ENABLED_PLUGINS_FILE", at("plugins"))
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let (shell, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
        let (sender, answers) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(output).split(b'\n').map_while(Result::ok) {
                let line = String::from_utf8_lossy(&line).into_owned();
                if let Some(answer) = line.strip_prefix("ANSWER ") {
                    let _ = sender.send(answer.to_owned());
                }
            }
        });
        *self.running() = Some(Running { child, shell, answers });
    }

    pub(super) fn eval(&self, expression: &str) -> String {
        let mut running = self.running();
        let running = running.as_mut().expect("it runs");
        writeln!(running.shell, r#"io:format("~nANSWER ~0p~n", [begin {expression} end])."#).unwrap();
        running.answers.recv_timeout(Duration::from_secs(20)).expect("the server answers")
    }

    pub(super) fn end(&self, how: impl FnOnce(&mut Running)) {
        let mut running = self.running().take().expect("it runs");
        how(&mut running);
        running.child.wait().unwrap();
    }

    pub(super) fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

/// The server's program. Debian's on the PATH is a wrapper that changes to a user of its own; what it calls runs as anybody.
pub(super) fn program() -> Option<PathBuf> {
    let behind = PathBuf::from("/usr/lib/rabbitmq/bin/rabbitmq-server");
    let paths = std::env::var_os("PATH")?;
    let found = std::env::split_paths(&paths).map(|path| path.join("rabbitmq-server")).find(|path| path.exists());
    found.map(|found| if behind.exists() { behind } else { found })
}
