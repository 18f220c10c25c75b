//! Builds an actix server with worker threads, as `actix_web::HttpServer` does, but over a `TimedStream` for each connection.
//!
//! REST is served so: a thread accepts connections and hands them to the workers. A server with little to do has one thread for
//! all of this: see `single_thread.rs`.

use std::{fmt, future::Future, io, net::TcpListener, time::Duration};

use actix_http::{HttpService, Protocol, Request, Response, error::DispatchError};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt,
    boxed::{self, BoxServiceFactory},
    fn_service, map_config,
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Server, Service},
    http::KeepAlive,
    rt::net::TcpStream,
};
use process::threads;

use super::{connection_timeouts::Timeouts, timed_stream::TimedStream};

/// What protects a server from its clients.
pub struct Limits {
    /// Connections at once; the others wait until one of these ends.
    pub connections: usize,
    /// How long a connection waits for its client.
    pub timeouts: Timeouts,
    /// How long requests that are being handled at a shutdown may still take, in whole seconds.
    pub drain_seconds: u64,
}

/// Makes the server; it answers as soon as it is polled. `app` makes an application for each of the `workers`.
pub(crate) fn serve<F, A, S, B>(listener: TcpListener, workers: usize, limits: &Limits, app: F) -> io::Result<Server>
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
        connection(app(), timeouts, shutdown)
    })?;
    Ok(server.run())
}

/// What is done with a connection. The HTTP service of actix gets no shutdown signal: it would drop a request that has arrived
/// and is not read yet. `TimedStream` ends the connections at a shutdown.
pub(super) fn connection<A, S, B, G, W>(
    app: A,
    timeouts: Timeouts,
    shutdown: G,
) -> BoxServiceFactory<(), TcpStream, (), DispatchError, ()>
where
    A: IntoServiceFactory<S, Request>,
    S: ServiceFactory<Request, Config = AppConfig> + 'static,
    S::Error: Into<Error> + 'static,
    S::InitError: fmt::Debug,
    S::Response: Into<Response<B>> + 'static,
    <S::Service as Service<Request>>::Future: 'static,
    S::Service: 'static,
    B: MessageBody + 'static,
    G: Fn() -> W + Clone + 'static,
    W: Future<Output = ()> + 'static,
{
    let app = app.into_factory().map_err(|cause| cause.into().error_response());
    let http = HttpService::build()
        .client_request_timeout(timeouts.head)
        .keep_alive(KeepAlive::Os) // `TimedStream` ends idle connections: with one timer per connection, not one per answer
        .client_disconnect_timeout(Duration::from_secs(1))
        .on_connect_ext(|stream: &TimedStream, connection| {
            connection.insert(stream.state());
        })
        .finish(map_config(app, |()| AppConfig::default()));
    let timed = fn_service(move |stream: TcpStream| {
        let shutdown = shutdown();
        async move {
            let peer = stream.peer_addr().ok();
            Ok((TimedStream::new(stream, timeouts, shutdown), Protocol::Http1, peer))
        }
    });
    boxed::factory(timed.and_then(http))
}
