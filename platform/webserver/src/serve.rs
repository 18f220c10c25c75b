//! A server as `actix_web::HttpServer` would build it, but over streams that time every head (see `turn`).
//!
//! REST has workers and a thread that hands them connections. The ops port is quiet and has one thread for all of it: see
//! `alone`.

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

use super::turn::{Patience, Timed};

/// What protects a server from its clients.
pub struct Limits {
    /// Connections at once; the others wait until one of these ends.
    pub connections: usize,
    /// How long a client's turn may last.
    pub patience: Patience,
    /// Requests in flight at a shutdown get this long, in whole seconds.
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
    let (patience, stopping) = (limits.patience, builder.graceful_shutdown_signal());
    let server = builder.listen("http", listener, move || {
        let stopping = stopping.clone();
        let stopped = move || {
            let stopping = stopping.clone();
            async move { stopping.notified().await }
        };
        connection(app(), patience, stopped)
    })?;
    Ok(server.run())
}

/// What is done with a connection. actix is not told when the server stops: it would drop a request that has arrived and was
/// not read yet. `turn` ends the connections then.
pub(super) fn connection<A, S, B, G, W>(
    app: A,
    patience: Patience,
    stopped: G,
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
        .client_request_timeout(patience.head)
        .keep_alive(KeepAlive::Os) // idle connections are `turn`'s: a timer per connection, not one per answer
        .client_disconnect_timeout(Duration::from_secs(1))
        .on_connect_ext(|stream: &Timed, connection| {
            connection.insert(stream.turn());
        })
        .finish(map_config(app, |()| AppConfig::default()));
    let timed = fn_service(move |stream: TcpStream| {
        let stopped = stopped();
        async move {
            let peer = stream.peer_addr().ok();
            Ok((Timed::new(stream, patience, stopped), Protocol::Http1, peer))
        }
    });
    boxed::factory(timed.and_then(http))
}
