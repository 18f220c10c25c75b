//! What a server does with a connection: HTTP/1.1 as `actix_web::HttpServer` builds it, but over a [`TimedStream`].
//!
//! Both kinds of server use it: `server.rs`, with worker threads, and `single_thread.rs`. Read next: `timed_stream.rs`.

use std::{fmt, future::Future, time::Duration};

use actix_http::{HttpService, Protocol, Request, Response, error::DispatchError};
use actix_service::{
    IntoServiceFactory, ServiceFactory, ServiceFactoryExt,
    boxed::{self, BoxServiceFactory},
    fn_service, map_config,
};
use actix_web::{
    Error,
    body::MessageBody,
    dev::{AppConfig, Service},
    http::KeepAlive,
    rt::net::TcpStream,
};

use super::{connection_timeouts::Timeouts, timed_stream::TimedStream};

/// The limits that protect a server from its clients.
pub struct Limits {
    /// The most connections at the same time. Further ones wait until one of these ends.
    pub connections: usize,
    /// How long a connection waits for its client.
    pub timeouts: Timeouts,
    /// How long requests that are being handled at a shutdown may still take, in whole seconds.
    pub drain_seconds: u64,
}

/// The service for connections. It handles each one with `app`, until `shutdown` is ready or the connection ends. The HTTP service of actix gets no shutdown signal: it would drop a request that has arrived
/// and is not read yet. `TimedStream` ends the connections at a shutdown.
pub(super) fn connection_service<A, S, B, G, W>(
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
