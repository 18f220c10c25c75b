//! A MongoDB server for tests. Taken in this order: `TEST_MONGO_URL`; `mongod` on the PATH; Docker; the in-memory stand-in
//! of `mongo-standin/`, which needs Java and Maven. Where there is none, the test says so and is not run.
//!
//! A server that somebody else has chosen is never assumed to be empty: [`MongoServer::url`] takes a database's name, and each test takes
//! its own.

use std::{
    env, fmt,
    fs::{self, File},
    io::{self, Write},
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::OnceLock,
    time::{Duration, Instant},
};

use tempfile::TempDir;

use crate::ports::free_port;

/// The image that docker-compose.yml names, too.
const IMAGE: &str = "mongo:8.0.32-noble";

/// What a stand-in in memory cannot show; printed with the results of the tests.
const NOT_SHOWN: &str = "note: MongoDB was an in-memory stand-in, which cannot show: waiting for the journal and a majority, \
                         elections, retryable writes, write conflicts on a hot document, authentication, TLS, durability";

const HOW_TO_GET_IT: &str =
    "set TEST_MONGO_URL, or install mongod or Docker, or Java and Maven for an in-memory stand-in";

/// Runs a server as long as standard input is open, which ends with this process, however that ends; and ends with the
/// server.
const WHILE_STDIN_IS_OPEN: &str = r#"
exec 3<&0
signal=$1; shift
"$@" </dev/null 3<&- & server=$!
(cat <&3 >/dev/null; kill -$signal $server) & watcher=$!
wait $server
kill $watcher"#;

/// How long a server may take to start.
const START_TIMEOUT: Duration = Duration::from_secs(60);

/// A server, and how it is started.
pub struct MongoServer {
    kind: Kind,
    address: String,
    /// Its process, where it is ours.
    running: Option<Child>,
    folder: Option<TempDir>,
}

enum Kind {
    Given(String),
    Mongod,
    Docker,
    Standin(PathBuf),
}

/// The one server of this test binary. `None` where there is none: then the test is noted as not run.
pub fn shared() -> Option<&'static MongoServer> {
    // Global, since the tests of a binary have nothing else in common.
    static SHARED: OnceLock<Option<MongoServer>> = OnceLock::new();
    let given = env::var("TEST_MONGO_URL").ok();
    let start = || match given {
        Some(url) => Some(MongoServer { address: url.clone(), kind: Kind::Given(url), running: None, folder: None }),
        None => start(),
    };
    noted(SHARED.get_or_init(start).as_ref())
}

/// A server that the test may stop and start. Never one of somebody's choosing.
pub fn own() -> Option<MongoServer> {
    noted(start())
}

fn noted<T>(server: Option<T>) -> Option<T> {
    if server.is_none() {
        let test = std::thread::current().name().unwrap_or("a test").to_owned();
        note(&format!("not run: {test} without MongoDB ({HOW_TO_GET_IT})"));
    }
    server
}

/// Appends a line to what `make test` shows at its end.
fn note(line: &str) {
    eprintln!("{line}");
    if let Ok(path) = env::var("NOT_RUN_FILE")
        && let Ok(mut file) = File::options().create(true).append(true).open(path)
    {
        let _ = writeln!(file, "{line}");
    }
}

fn start() -> Option<MongoServer> {
    let kind = if answers("mongod", &["--version"]) {
        Kind::Mongod
    } else if answers("docker", &["version", "--format", "{{.Server.Version}}"]) && has_image() {
        Kind::Docker
    } else if answers("java", &["-version"]) && answers("mvn", &["-v"]) {
        Kind::Standin(standin().map_err(|cause| eprintln!("the MongoDB stand-in is not built: {cause}")).ok()?)
    } else {
        return None;
    };
    let port = free_port();
    let (address, folder) = (format!("127.0.0.1:{port}"), tempfile::tempdir().unwrap());
    let mut server = MongoServer { kind, address, running: None, folder: Some(folder) };
    server.start();
    Some(server)
}

fn has_image() -> bool {
    answers("docker", &["image", "inspect", IMAGE]) || answers("timeout", &["120", "docker", "pull", "--quiet", IMAGE])
}

fn answers(program: &str, arguments: &[&str]) -> bool {
    let run =
        Command::new(program).args(arguments).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    run.is_ok_and(|status| status.success())
}

impl MongoServer {
    /// The URL of a database.
    pub fn url(&self, database: &str) -> String {
        let given = if let Kind::Given(url) = &self.kind { url.clone() } else { format!("mongodb://{}", self.address) };
        let (hosts, options) = given.split_once('?').map_or((given.as_str(), None), |(hosts, o)| (hosts, Some(o)));
        let (scheme, hosts) = hosts.split_once("://").unwrap();
        let hosts = hosts.split('/').next().unwrap();
        let options = options.map_or(String::new(), |options| format!("?{options}"));
        format!("{scheme}://{hosts}/{database}{options}")
    }

    /// Starts it, on the same port as before and with what it still has.
    pub fn start(&mut self) {
        let folder = self.folder.as_ref().expect("only servers of our own are started").path().to_owned();
        let port = self.address.rsplit_once(':').unwrap().1.to_owned();
        // A container has to be stopped by a signal; the others are killed, as that is quickest.
        let signal = if matches!(self.kind, Kind::Docker) { "TERM" } else { "KILL" };
        let mut command = Command::new("sh");
        command.args(["-c", WHILE_STDIN_IS_OPEN, "watcher", signal]);
        match &self.kind {
            Kind::Given(_) => unreachable!("only servers of our own are started"),
            Kind::Mongod => command.args(["mongod", "--bind_ip", "127.0.0.1", "--port", &port, "--dbpath"]).arg(folder),
            Kind::Docker => {
                let publish = format!("{}:27017", self.address);
                let old_caches = "GLIBC_TUNABLES=glibc.pthread.rseq=1"; // as in docker-compose.yml
                command.args(["docker", "run", "--rm", "--env", old_caches, "--publish", &publish, IMAGE])
            }
            Kind::Standin(built) => {
                let classes = format!("{0}/lib/*:{0}/classes", built.display());
                command.args(["java", "-Xmx512m", "-XX:+UseSerialGC", "-cp", &classes, "MongoStandin", "--port", &port])
            }
        };
        if matches!(self.kind, Kind::Standin(_)) {
            note_once(NOT_SHOWN);
        }
        let child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
        let server = self.running.insert(child.unwrap());
        let (address, began): (SocketAddr, _) = (self.address.parse().unwrap(), Instant::now());
        while TcpStream::connect_timeout(&address, Duration::from_secs(1)).is_err() {
            assert!(server.try_wait().unwrap().is_none(), "the MongoDB server ended at once");
            assert!(began.elapsed() < START_TIMEOUT, "the MongoDB server does not listen within {START_TIMEOUT:?}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Kills it.
    pub fn stop(&mut self) {
        if let Some(mut child) = self.running.take() {
            drop(child.stdin.take()); // ends the server
            let _ = child.wait();
        }
    }
}

/// What it is, for figures that were measured on it.
impl fmt::Display for MongoServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &self.kind {
            Kind::Given(_) => "TEST_MONGO_URL",
            Kind::Mongod => "mongod",
            Kind::Docker => IMAGE,
            Kind::Standin(_) => "an in-memory stand-in",
        })
    }
}

impl Drop for MongoServer {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Notes a line that all test binaries would note.
fn note_once(line: &str) {
    let printed = env::var("NOT_RUN_FILE").ok().and_then(|path| fs::read_to_string(path).ok());
    if !printed.is_some_and(|printed| printed.contains(line)) {
        note(line);
    }
}

/// Builds the stand-in once, and says where it is.
fn standin() -> io::Result<PathBuf> {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("mongo-standin");
    let built = crate::target_tmp().join("mongo-standin");
    fs::create_dir_all(&built)?;
    let lock = File::create(built.join("lock"))?;
    lock.lock()?; // another test binary may build it right now
    let same = |file: &str| fs::read(built.join(file)).ok() == fs::read(source.join(file)).ok();
    if same("pom.xml") && same("MongoStandin.java") {
        return Ok(built);
    }
    for part in ["lib", "classes"] {
        let _ = fs::remove_dir_all(built.join(part));
    }
    fs::copy(source.join("pom.xml"), built.join("pom.xml"))?;
    run(&built, "mvn", &["-q", "-B", "dependency:copy-dependencies", "-DoutputDirectory=lib"])?;
    let java = source.join("MongoStandin.java");
    run(&built, "javac", &["-cp", "lib/*", "-d", "classes", java.to_str().unwrap()])?;
    fs::copy(&java, built.join("MongoStandin.java"))?; // last: it says that all is there
    Ok(built)
}

fn run(folder: &Path, program: &str, arguments: &[&str]) -> io::Result<()> {
    let output = Command::new(program).args(arguments).current_dir(folder).stdin(Stdio::null()).output()?;
    if output.status.success() {
        return Ok(());
    }
    let output =
        String::from_utf8_lossy(if output.stderr.is_empty() { &output.stdout } else { &output.stderr }).into_owned();
    Err(io::Error::other(format!("{program}: {output}")))
}
