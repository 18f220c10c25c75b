//! The REST server. One thread accepts connections and hands them to the worker threads, which answer. Limits protect it from its
//! clients: the number of connections, the time for a head, the time without a request.
//!
//! Read next: `connection.rs` for what is done with a connection, `observe.rs` for what is done with a request.

use std::{fmt, io, net::TcpListener, sync::Arc, time::Duration};

use actix_http::{Request, Response};
use actix_service::{IntoServiceFactory, ServiceFactory};
use actix_web::{
    App, Error,
    body::MessageBody,
    dev::{AppConfig, Server, Service},
    middleware::from_fn,
    web,
};
use process::{metrics::runtime::Runtimes, threads};
use tokio_util::sync::CancellationToken;

use super::{
    connection::{Limits, connection_service},
    connection_timeouts::Timeouts,
    descriptors::{CONNECTIONS_MAX, descriptors, rest_connections},
    metrics::HttpMetrics,
    observe::observe,
    routes::nowhere,
};

/// The header read timeout. The body has a deadline of its own, in `input/body.rs`.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The keep-alive timeout: a connection without a request is kept open this long after an answer.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(30);

/// How long requests that are being handled at a shutdown may still take, in whole seconds.
const DRAIN_SECONDS: u64 = 5;

/// What a REST server needs besides its routes.
pub struct Rest {
    /// Its listener.
    pub listener: TcpListener,
    /// The number of threads that answer.
    pub workers: usize,
    /// The number of REST servers that share this process's descriptors.
    pub servers: usize,
    /// Its metrics.
    pub metrics: Arc<HttpMetrics>,
    /// The metrics of its runtimes.
    pub runtimes: Runtimes,
    /// Cancelled at shutdown: from then on each answer closes its connection.
    pub stopping: CancellationToken,
}

impl Rest {
    /// Builds the server. It answers as soon as it is polled.
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
        build(self.listener, self.workers, &limits, move || {
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

/// Builds a server as `actix_web::HttpServer` does, but with our own service for connections. `app` makes an application for each of
/// the `workers`.
fn build<F, A, S, B>(listener: TcpListener, workers: usize, limits: &Limits, app: F) -> io::Result<Server>
where
    F: Fn() -> A + Send + Clone + 'static,
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
{
    let builder = Server::build()
        .workers(workers)
        .worker_max_blocking_threads(threads::BLOCKING)
        .max_concurrent_connections((limits.connections / workers).max(1))
        .shutdown_timeout(limits.drain_seconds)
        .disable_signals();
    let (timeouts, signal) = (limits.timeouts, builder.graceful_shutdown_signal());
    let server = builder.listen("http", listener, move || {
        let signal = signal.clone();
        let shutdown = move || {
            let signal = signal.clone();
            async move { signal.notified().await }
        };
        connection_service(app(), timeouts, shutdown)
    })?;
    Ok(server.run())
}
