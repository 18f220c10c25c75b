//! The REST server: its address, and the limits that protect it from its clients: connections, slow heads, idle connections.
//! How it is built is in `serve.rs`.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    sync::Arc,
    time::Duration,
};

use actix_web::{App, dev::Server, middleware::from_fn, web};
use process::{checks::flag, metrics::runtime::Runtimes};
use tokio_util::sync::CancellationToken;

use super::{
    connection_timeouts::Timeouts,
    descriptors::{CONNECTIONS_MAX, descriptors, rest_connections},
    metrics::HttpMetrics,
    observe::observe,
    routes::nowhere,
    serve::{Limits, serve},
};

/// The header read timeout. The body has a deadline of its own, in `input/body.rs`.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The keep-alive timeout: a connection without a request is kept open this long after an answer.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests that are being handled at a shutdown may still take, in whole seconds.
const DRAIN_SECONDS: u64 = 5;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({cause}): {hint}", hint = self.hint())]
pub struct ListenError {
    address: SocketAddr,
    option: &'static str,
    cause: io::Error,
}

impl ListenError {
    fn hint(&self) -> String {
        let (option, flag) = (self.option, flag(self.option));
        let exporter = match (self.address.port(), self.cause.kind()) {
            (9100, io::ErrorKind::AddrInUse) => " (node_exporter often has port 9100)",
            _ => "",
        };
        format!("choose another address with {flag} or {option}; port 0 takes a free one{exporter}")
    }
}

/// Takes the address. `option` is the variable that sets it, for the error.
pub fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|cause| ListenError { address, option, cause })
}

/// What a REST server needs besides its routes.
pub struct Rest {
    /// Where it listens.
    pub listener: TcpListener,
    /// How many threads answer.
    pub workers: usize,
    /// How many REST servers share this process's descriptors.
    pub servers: usize,
    /// What it counts.
    pub metrics: Arc<HttpMetrics>,
    /// Where its runtimes are measured.
    pub runtimes: Runtimes,
    /// From when on each answer closes its connection.
    pub stopping: CancellationToken,
}

impl Rest {
    /// Makes the server; it answers as soon as it is polled.
    pub fn serve<F>(self, configure: F) -> io::Result<Server>
    where
        F: Fn(&mut web::ServiceConfig) + Clone + Send + 'static,
    {
        let connections = rest_connections(self.servers, descriptors());
        if connections < CONNECTIONS_MAX {
            let (rest, limit) = (self.listener.local_addr()?, descriptors());
            tracing::info!(%rest, connections, "fewer connections than {CONNECTIONS_MAX}: the limit is {limit} open files");
        }
        let (metrics, runtimes, stopping) = (web::Data::from(self.metrics), self.runtimes, self.stopping);
        let limits = Limits {
            connections,
            timeouts: Timeouts::new(HEADER_READ_TIMEOUT, KEEP_ALIVE_TIMEOUT),
            drain_seconds: DRAIN_SECONDS,
        };
        serve(self.listener, self.workers, &limits, move || {
            runtimes.join("rest");
            App::new()
                .app_data(metrics.clone())
                .app_data(web::Data::new(stopping.child_token())) // its own lock for each worker
                .configure(configure.clone())
                .default_service(web::to(nowhere))
                .wrap(from_fn(observe))
        })
    }
}
