//! The REST server. One thread accepts connections and hands them to the worker threads, which answer. Limits protect it from its
//! clients: the number of connections, the time for a head, the time without a request.
//!
//! HTTP/1.1 is what `actix_web::HttpServer` builds, but over a [`TimedStream`]; `small.rs` uses the same
//! [`connection_service`]. Read next: `timed_stream.rs` for connections, `observe.rs` for requests.

use std::{future::Future, io, net::TcpListener, rc::Rc, sync::Arc, time::Duration};

use actix_http::{HttpService, Protocol, error::DispatchError};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt,
    boxed::{self, BoxServiceFactory},
    fn_service, map_config,
};
use actix_web::{
    App, Error,
    dev::{AppConfig, Server, ServiceRequest, ServiceResponse},
    http::KeepAlive,
    middleware::from_fn,
    rt::net::TcpStream,
    web,
};
use process::{metrics::runtime::Runtimes, threads};
use tokio_util::sync::CancellationToken;
use trace::Stories;

use crate::{
    connection_limits::{CONNECTIONS_MAX, Limits, Timeouts, descriptors, rest_connections},
    http_metrics::HttpMetrics,
    observe::observe,
    routes::nowhere,
    timed_stream::TimedStream,
};

/// What a REST server needs besides its routes.
pub struct Rest {
    /// Its listener.
    pub listener: TcpListener,
    /// The number of threads that answer.
    pub workers: usize,
    /// The number of REST servers that share this process's descriptors.
    pub servers: usize,
    /// The keep-alive timeout.
    pub keep_alive: Duration,
    /// Its metrics.
    pub metrics: Arc<HttpMetrics>,
    /// What happened to its requests.
    pub stories: Stories,
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
        let limits = Limits::rest(connections, self.keep_alive);
        let of_a_worker = (limits.connections / self.workers).max(1);
        let builder = Server::build()
            .workers(self.workers)
            .worker_max_blocking_threads(threads::BLOCKING)
            .max_concurrent_connections(of_a_worker)
            .shutdown_timeout(limits.drain_seconds)
            .disable_signals();
        let signal = builder.graceful_shutdown_signal();
        let (metrics, runtimes, stopping) = (web::Data::from(self.metrics), self.runtimes, self.stopping);
        let stories = web::Data::new(self.stories);
        let server = builder.listen("http", self.listener, move || {
            runtimes.join("rest");
            let app = App::new()
                .app_data(metrics.clone())
                .app_data(stories.clone())
                .app_data(web::Data::new(stopping.child_token())) // its own lock for each worker
                .configure(configure.clone())
                .default_service(nowhere("/docs lists those there are"))
                .wrap(from_fn(observe));
            let signal = signal.clone();
            let shutdown = move || {
                let signal = signal.clone();
                async move { signal.notified().await }
            };
            connection_service(app, of_a_worker, limits.timeouts, shutdown)
        })?;
        Ok(server.run())
    }
}

/// The service for the connections of one thread, of which there are `max` at most. It handles each one with `app`, until `shutdown` is
/// ready or the connection ends. The HTTP service of actix gets no shutdown signal: it would drop a request that has arrived and is not
/// read yet. `TimedStream` ends the connections at a shutdown.
pub(super) fn connection_service<T, W>(
    app: App<T>,
    max: usize,
    timeouts: Timeouts,
    shutdown: impl Fn() -> W + Clone + 'static,
) -> BoxServiceFactory<(), TcpStream, (), DispatchError, ()>
where
    T: ServiceFactory<ServiceRequest, Config = (), Response = ServiceResponse, Error = Error, InitError = ()> + 'static,
    W: Future<Output = ()> + 'static,
{
    let app = app.into_factory().map_err(|cause| cause.error_response());
    let http = HttpService::build()
        .client_request_timeout(timeouts.head)
        .keep_alive(KeepAlive::Os) // `TimedStream` ends idle connections: with one timer per connection, not one per answer
        .client_disconnect_timeout(Duration::from_secs(1))
        .on_connect_ext(|stream: &TimedStream, connection| {
            connection.insert(stream.state());
        })
        .finish(map_config(app, |()| AppConfig::default()));
    let open = Rc::new(max);
    let timed = fn_service(move |stream: TcpStream| {
        let (open, shutdown) = (Rc::downgrade(&open), shutdown());
        async move {
            let peer = stream.peer_addr().ok();
            Ok((TimedStream::new(stream, open, timeouts, shutdown), Protocol::Http1, peer))
        }
    });
    boxed::factory(timed.and_then(http))
}
