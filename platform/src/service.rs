//! A running service: the REST server, the ops server and the relay, and the order in which they stop.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    sync::Arc,
    time::Duration,
};

use actix_web::{dev::Server, web};
use tokio_util::sync::CancellationToken;
use utoipa::openapi::OpenApi;

use crate::{
    background::Background,
    config::{Checks, Given},
    fail_point,
    health::{Health, Probe},
    http::{
        docs::documented,
        metrics::HttpMetrics,
        server::{ListenError, Rest, listen},
        small::SmallServer,
    },
    metrics::{Metrics, build, process, runtime::Runtimes},
    mongo::{address::MongoUrl, error::ClientError},
    ops_server::Ops,
    outbox::{DeadLetters, Outbox, relay::Relay},
    sqlite::{Database, StoreError, open::OpenError},
};

/// How long the outbox is flushed at a stop. What is left then goes out at the next start.
const FLUSH: Duration = Duration::from_secs(3);

/// How long the files may take to close: what waits is written by then, and a small log copied into each file.
const CLOSE: Duration = Duration::from_secs(5);

/// How a service is run; each binary's `config.rs` reads it from its own options.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where REST listens.
    pub rest: Listen,
    /// Where the ops port is.
    pub ops: Listen,
    /// Threads that answer REST.
    pub rest_workers: usize,
    /// Services in this process, which share its file descriptors and all else that it uses.
    pub servers: usize,
    /// How long it goes on answering after the signal to stop.
    pub shutdown_delay: Duration,
    /// The folder of the database file.
    pub data_dir: PathBuf,
    /// The MongoDB server that is used instead of a file.
    pub mongo: Option<MongoUrl>,
}

/// What a service stores in, whatever it is made of. `S` is the service's own `dyn Store`.
pub struct Backend<S: ?Sized> {
    /// What the service does with it.
    pub store: Arc<S>,
    /// Its messages that wait.
    pub outbox: Arc<dyn Outbox>,
    /// Its messages that nobody took, where the bus has no place for them.
    pub dead: Arc<dyn DeadLetters>,
    /// Whether it can be used.
    pub probe: Probe,
    /// What must be ended with the service.
    pub kept: Kept,
}

/// What keeps a store going.
#[derive(Default)]
pub struct Kept {
    /// The database file, where there is one.
    pub file: Option<Arc<Database>>,
    /// The store's own tasks.
    pub background: Background,
}

/// An address, and the variable that sets it, for the message when it is taken.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// `LISTEN_ADDR`, for example.
    pub option: &'static str,
}

impl Listen {
    /// Reads it from the options.
    pub fn read(checks: &mut Checks, option: Given<'_>, default: &str) -> Self {
        let name = option.name;
        Self { address: checks.address(option, default), option: name }
    }

    /// Takes the address.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        listen(self.address, self.option)
    }
}

/// Why a service does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// An address is taken.
    #[error(transparent)]
    Listen(#[from] ListenError),
    /// The database file cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The MongoDB client cannot be made.
    #[error(transparent)]
    Mongo(#[from] ClientError),
    /// What is stored cannot be read.
    #[error("what is stored cannot be read")]
    Store(#[from] StoreError),
    /// Two metrics of one name, or a name that is none: a bug.
    #[error("the metrics cannot be registered")]
    Metrics(#[from] prometheus::Error),
    /// A server does not start.
    #[error("a server does not start")]
    Io(#[from] io::Error),
}

/// What every service begins with: its ports, and the metrics that do not depend on what it does.
pub struct Foundation {
    settings: Settings,
    rest: TcpListener,
    ops: TcpListener,
    runtimes: Runtimes,
    http: Arc<HttpMetrics>,
    /// Where the service adds its own.
    pub metrics: Metrics,
}

impl Foundation {
    /// Takes both ports first: whoever finds one taken shall find no files made either.
    pub fn lay(settings: Settings, version: &str, api: &OpenApi) -> Result<Self, StartError> {
        let (rest, ops) = (settings.rest.bind()?, settings.ops.bind()?);
        fail_point::arm();
        let metrics = Metrics::new();
        process::register(&metrics.registry)?;
        process::register_services(&metrics.registry, settings.servers)?;
        build::register(&metrics.registry, version)?;
        let runtimes = Runtimes::new(&metrics.registry)?;
        runtimes.join("main");
        let http = Arc::new(HttpMetrics::new(&metrics.registry, &documented(api))?);
        Ok(Self { settings, rest, ops, runtimes, http, metrics })
    }

    /// Puts the servers on it.
    pub fn build<F>(
        self,
        name: &'static str,
        health: Health,
        dead: Arc<dyn DeadLetters>,
        relay: Relay,
        kept: Kept,
        configure: F,
    ) -> Result<Service, StartError>
    where
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let (rest_address, ops_address) = (self.rest.local_addr()?, self.ops.local_addr()?);
        let Settings { rest_workers: workers, servers, shutdown_delay, .. } = self.settings;
        let (runtimes, stopping) = (self.runtimes.clone(), health.stopping().clone());
        let rest = Rest { listener: self.rest, workers, servers, metrics: self.http, runtimes, stopping };
        let rest = rest.serve(configure)?;
        let ops =
            Ops { metrics: self.metrics, health, dead: Some(dead), runtimes: self.runtimes }.serve(self.ops, name)?;
        Ok(Service {
            name,
            shutdown_delay,
            rest_address,
            ops_address,
            database: kept.file,
            rest,
            ops,
            relay,
            background: kept.background,
        })
    }
}

/// The parts that run.
pub struct Service {
    /// For the log.
    pub name: &'static str,
    /// Where REST listens, with the real port.
    pub rest_address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    /// The file it stores in, where it is a file.
    pub database: Option<Arc<Database>>,
    shutdown_delay: Duration,
    rest: Server,
    ops: SmallServer,
    relay: Relay,
    background: Background,
}

impl Service {
    /// Cancelled once the file it stores in is closed, where it is a file; for [`closed`].
    pub fn file_closed(&self) -> Option<CancellationToken> {
        self.database.as_ref().map(|file| file.closed())
    }

    /// Runs until `stop` is cancelled. Then, in this order:
    ///
    /// 1. `/readyz` is a 503, and each answer of REST closes its connection: clients and load balancers shall go elsewhere.
    /// 2. For the shutdown delay all else goes on. Those who have not noticed yet are still answered.
    /// 3. No new connections; what is in flight is finished. A connection that was idle all the time is closed here, and a
    ///    request sent in that very moment is lost, as with any HTTP/1.1 server (RFC 9112, 9.5).
    /// 4. The outbox is flushed for a bounded time.
    /// 5. The ops port ends last, so that the end can be watched.
    pub async fn run_until(self, stop: CancellationToken) -> io::Result<()> {
        let (rest_handle, rest) = (self.rest.handle(), tokio::spawn(self.rest));
        let published = CancellationToken::new();
        let relay = tokio::spawn(self.relay.run(published.clone(), FLUSH));
        tracing::info!(service = self.name, rest = %self.rest_address, ops = %self.ops_address, "ready");

        stop.cancelled().await;
        if !self.shutdown_delay.is_zero() {
            let (service, delay) = (self.name, self.shutdown_delay);
            tracing::info!(service, "not ready any more; requests are still answered for {delay:?}");
            tokio::time::sleep(delay).await;
        }
        rest_handle.stop(true).await;
        rest.await.map_err(io::Error::other)??;
        published.cancel();
        relay.await.map_err(io::Error::other)?;
        self.background.end().await;
        self.ops.stop().await;
        tracing::info!(service = self.name, "stopped");
        Ok(())
    }
}

/// Waits until the files of services that have ended are closed. A process that ends before leaves them as after a crash.
pub async fn closed(files: impl IntoIterator<Item = CancellationToken>) {
    let closed = async {
        for file in files {
            file.cancelled().await;
        }
    };
    if tokio::time::timeout(CLOSE, closed).await.is_err() {
        tracing::warn!("the database files are not closed within {CLOSE:?}: the next start will check them");
    }
}
