//! Finds a RabbitMQ for the tests: an address in `TEST_AMQP_URL`; else the program on the PATH, started on free ports in
//! a temporary folder; else Docker. Without any of them a test says so and returns.
//!
//! One server serves all tests of a binary: most share it, those that stop or starve it have it alone.

mod process;

use std::{
    fs,
    io::Write,
    path::Path,
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use tokio::sync::{OnceCell, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::ports::free_port;
use process::{Own, program};

/// It is an Erlang system, and has two cores for everything here.
const STARTS: Duration = Duration::from_secs(60);

/// One try to reach it, once it is up.
const ANSWERS: Duration = Duration::from_secs(5);

const DOCKER_IMAGE: &str = "rabbitmq:4.3.5-management";

/// The one server, and the lock by which the tests share it.
static SERVER: OnceCell<Option<Found>> = OnceCell::const_new();

struct Found {
    url: String,
    server: RwLock<RabbitMq>,
}

/// A server that can be used.
pub struct RabbitMq {
    url: String,
    own: Option<Own>,
}

/// A server for a test beside others; `None` where there is no server, and the test returns.
pub async fn shared() -> Option<RwLockReadGuard<'static, RabbitMq>> {
    match SERVER.get_or_init(find).await {
        Some(found) => {
            let server = found.server.read().await;
            server.runs().await;
            Some(server)
        }
        None => not_run("RabbitMQ", "apt install rabbitmq-server, or TEST_AMQP_URL=amqp://…, or a Docker engine"),
    }
}

/// A server of our own for a test that stops it, or asks much of it.
pub async fn exclusive() -> Option<RwLockWriteGuard<'static, RabbitMq>> {
    match SERVER.get_or_init(find).await {
        Some(found) if found.server.read().await.own.is_some() => {
            let server = found.server.write().await;
            server.runs().await;
            Some(server)
        }
        _ => not_run("a RabbitMQ that may be stopped", "apt install rabbitmq-server, and no TEST_AMQP_URL"),
    }
}

/// One of the test's own beside all others, which exports metrics for Prometheus.
pub async fn with_metrics() -> Option<RabbitMq> {
    let Some(program) = program() else { return not_run("a RabbitMQ of its own", "apt install rabbitmq-server") };
    let own = Own::new(program, true);
    let server = RabbitMq { url: own.url(), own: Some(own) };
    server.runs().await;
    Some(server)
}

pub fn not_run<T>(what: &str, how: &str) -> Option<T> {
    let test = std::thread::current().name().unwrap_or("?").to_owned();
    let line = format!("not run: {what} ({how}), for {test}\n");
    eprint!("{line}");
    if let Some(file) = std::env::var_os("NOT_RUN_FILE") {
        let file = fs::OpenOptions::new().append(true).create(true).open(file);
        file.unwrap().write_all(line.as_bytes()).unwrap();
    }
    None
}

/// Where it is, for a test that has it already.
pub fn url() -> &'static str {
    &SERVER.get().and_then(Option::as_ref).expect("a server was found").url
}

async fn find() -> Option<Found> {
    let server = if let Ok(url) = std::env::var("TEST_AMQP_URL") {
        eprintln!("RabbitMQ: the one in TEST_AMQP_URL");
        RabbitMq { url, own: None }
    } else if let Some(program) = program() {
        eprintln!("RabbitMQ: {}", program.display());
        let own = Own::new(program, false);
        RabbitMq { url: own.url(), own: Some(own) }
    } else {
        RabbitMq { url: docker()?, own: None }
    };
    server.runs().await;
    Some(Found { url: server.url.clone(), server: RwLock::new(server) })
}

impl RabbitMq {
    /// The port of a server of our own.
    pub fn port(&self) -> u16 {
        self.own().port
    }

    /// Where it exports its metrics: one of [`with_metrics`].
    pub fn metrics(&self) -> u16 {
        self.own().metrics.expect("it exports metrics")
    }

    /// How to reach it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// A bare connection, for a test that looks at the server or damages something.
    pub async fn connect(&self) -> lapin::Result<lapin::Connection> {
        lapin::Connection::connect(&self.url, lapin::ConnectionProperties::default()).await
    }

    /// Waits until it can be used; starts it where a test that failed has left it stopped.
    pub async fn runs(&self) {
        if let Some(own) = &self.own
            && own.running().is_none()
        {
            own.start();
        }
        let began = Instant::now();
        // The client may wait for ever for a server that goes down or comes up just then: seen in two of three starts.
        while !matches!(tokio::time::timeout(ANSWERS, self.connect()).await, Ok(Ok(_))) {
            assert!(began.elapsed() < STARTS, "RabbitMQ did not start");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Evaluates an Erlang expression in the server.
    pub fn eval(&self, expression: &str) -> String {
        self.own().eval(expression)
    }

    /// A virtual host of its own, as a URL. Services have their queues' names from nobody, so tests of them would share those.
    pub fn virtual_host(&self, name: &str) -> String {
        self.eval(&format!(r#"rabbit_vhost:add(<<"{name}">>, <<"test">>)"#));
        let all = r#"<<".*">>, <<".*">>, <<".*">>, <<"test">>"#;
        self.eval(&format!(r#"rabbit_auth_backend_internal:set_permissions(<<"guest">>, <<"{name}">>, {all})"#));
        format!("{}/{name}", self.url)
    }

    /// A user with the password `secret`, and what it may configure, write to, and read of a virtual host.
    pub fn user(&self, name: &str, host: &str, [configure, write, read]: [&str; 3]) {
        let done = self.eval(&format!(
            r#"case rabbit_auth_backend_internal:lookup_user(<<"{name}">>) of
                {{ok, _}} -> ok;
                _ -> rabbit_auth_backend_internal:add_user(<<"{name}">>, <<"secret">>, <<"test">>)
            end,
            rabbit_auth_backend_internal:set_permissions(
                <<"{name}">>, <<"{host}">>, <<"{configure}">>, <<"{write}">>, <<"{read}">>, <<"test">>)"#
        ));
        assert_eq!(done, "ok");
    }

    /// Listens on a further port, encrypted, with `ca.pem`, `server.pem` and `server.key` of the folder.
    pub fn listens_encrypted(&self, folder: &Path) -> u16 {
        let port = free_port();
        let file = |name: &str| format!("{:?}", folder.join(name).display().to_string());
        let (ca, certificate, key) = (file("ca.pem"), file("server.pem"), file("server.key"));
        let options = format!("[{{cacertfile, {ca}}}, {{certfile, {certificate}}}, {{keyfile, {key}}}]");
        let started = self.eval(&format!(
            r#"application:ensure_all_started(ssl), rabbit_networking:start_ssl_listener({{"127.0.0.1", {port}}}, {options}, 1)"#
        ));
        assert!(started.starts_with("ok") || started.contains("{ok"), "{started}");
        port
    }

    /// Closes every connection, as `rabbitmqctl close_all_connections` does.
    pub fn close_all_connections(&self) {
        self.eval(
            r#"[rabbit_networking:close_connection(P, "the operator asks") || P <- rabbit_networking:connections()]"#,
        );
    }

    /// Takes no messages any more, as when its memory is used up.
    pub fn memory_alarm(&self, on: bool) {
        let share = if on { "0.00001" } else { "0.4" };
        self.eval(&format!("vm_memory_monitor:set_vm_memory_high_watermark({share})"));
    }

    /// A quorum queue that is younger than half a second does not survive a kill: 3.10 writes the names of its logs to
    /// disk that late. Seen: it is there again, empty, and never has a leader. That is not what the tests are about.
    pub fn remembers_its_queues(&self) {
        self.eval("dets:sync(ra_directory_reverse)");
    }

    /// Ends it with SIGKILL.
    pub fn kill(&self) {
        self.own().end(|running| running.child.kill().unwrap());
    }

    /// Ends it in order.
    pub fn stop(&self) {
        self.own().end(|running| writeln!(running.shell, "init:stop().").unwrap());
    }

    /// Starts it again, on the same port, with what it had. Returns at once.
    pub fn start(&self) {
        self.own().start();
    }

    fn own(&self) -> &Own {
        self.own.as_ref().expect("`alone` has handed it out")
    }
}

/// A container that ends with this process; `None` without an engine that answers.
fn docker() -> Option<String> {
    let answers = Command::new("docker").arg("info").stdout(Stdio::null()).stderr(Stdio::null()).status();
    answers.ok().filter(std::process::ExitStatus::success)?;
    eprintln!("RabbitMQ: {DOCKER_IMAGE} by Docker");
    let port = free_port();
    let name = format!("myevents-test-{port}");
    let publish = format!("127.0.0.1:{port}:5672");
    let run = ["run", "--rm", "-d", "--name", &name, "--ulimit", "nofile=16384", "-p", &publish, DOCKER_IMAGE];
    let status = Command::new("docker").args(run).stdout(Stdio::null()).status().ok()?;
    status.success().then_some(())?;
    let clean = r#"cat > /dev/null; docker rm -f "$0" > /dev/null 2>&1"#;
    let cleaner = Command::new("sh").args(["-c", clean, &name]).stdin(Stdio::piped()).spawn().unwrap();
    std::mem::forget(cleaner); // its input closes when this process ends
    Some(format!("amqp://guest:guest@127.0.0.1:{port}"))
}
