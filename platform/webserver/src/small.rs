//! A small server: the ops port, and the programs beside the services. They have few requests and count none of them.
//!
//! It has the same protection against slow clients as REST: a limit on connections, and timeouts for heads and bodies. All of it
//! runs on one thread: see `single_thread.rs`.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    time::Duration,
};

use actix_web::{
    App, Error,
    body::BoxBody,
    dev::{ServiceRequest, ServiceResponse},
    middleware::{Next, from_fn},
    web,
};

use super::{connection_limits::Timeouts, single_thread::SingleThreadServer, timed_stream::ConnectionState};
use crate::connection_limits::Limits;
use crate::input::SharedBody;

/// The header read timeout and the keep-alive timeout.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(5), Duration::from_secs(30));

/// The most connections at once.
const CONNECTIONS: usize = 256;

/// How long requests that are being handled at a shutdown may still take, in whole seconds.
const DRAIN_SECONDS: u64 = 5;

/// A server that answers. It stops when this is dropped.
pub struct SmallServer {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    server: SingleThreadServer,
}

impl SmallServer {
    /// Starts it; `name` is the thread's. `configure` says what it answers, and runs on that thread.
    pub fn start<F>(listener: TcpListener, name: &str, configure: F) -> io::Result<Self>
    where
        F: FnOnce(&mut web::ServiceConfig) + Send + 'static,
    {
        let limits = Limits { connections: CONNECTIONS, timeouts: TIMEOUTS, drain_seconds: DRAIN_SECONDS };
        Self::start_with(limits, listener, name, configure)
    }

    /// The same with other limits.
    pub fn start_with<F>(limits: Limits, listener: TcpListener, name: &str, configure: F) -> io::Result<Self>
    where
        F: FnOnce(&mut web::ServiceConfig) + Send + 'static,
    {
        let address = listener.local_addr()?;
        let server = SingleThreadServer::start(listener, name, limits, move || {
            App::new().configure(configure).wrap(from_fn(guard))
        })?;
        Ok(Self { address, server })
    }

    /// Stops accepting. Requests that are being handled are finished, for a bounded time.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// The protection against slow clients that REST has from the middleware `observe`.
async fn guard(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let _handling = ConnectionState::handling(&request);
    let body = SharedBody::share(&mut request);
    let response = next.call(request).await?;
    Ok(match body {
        Some(body) => body.attach_to(response).await,
        None => response,
    })
}
