//! A small server: one thread accepts and answers. The ops port is one, and so are the servers of the programs beside the
//! services, which have little to do and need no metrics of their requests.
//!
//! What protects it from its clients is the same as for REST: a limit on connections, and clocks on heads and bodies.

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

use super::{
    alone::Alone,
    serve::Limits,
    turn::{Patience, Turn},
    unread::hold,
};

const PATIENCE: Patience = Patience::new(Duration::from_secs(5), Duration::from_secs(30));

/// The most connections at once.
const CONNECTIONS: usize = 256;

/// Requests in flight at a stop get this long, in whole seconds.
const DRAIN_SECONDS: u64 = 5;

/// A server that answers. It stops when this is dropped.
pub struct SmallServer {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    server: Alone,
}

impl SmallServer {
    /// Starts it; `name` is the thread's. `configure` says what it answers, and runs on that thread.
    pub fn start<F>(listener: TcpListener, name: &str, configure: F) -> io::Result<Self>
    where
        F: FnOnce(&mut web::ServiceConfig) + Send + 'static,
    {
        let limits = Limits { connections: CONNECTIONS, patience: PATIENCE, drain_seconds: DRAIN_SECONDS };
        Self::within(limits, listener, name, configure)
    }

    /// The same within other limits.
    pub fn within<F>(limits: Limits, listener: TcpListener, name: &str, configure: F) -> io::Result<Self>
    where
        F: FnOnce(&mut web::ServiceConfig) + Send + 'static,
    {
        let address = listener.local_addr()?;
        let server =
            Alone::start(listener, name, limits, move || App::new().configure(configure).wrap(from_fn(guard)))?;
        Ok(Self { address, server })
    }

    /// No new connections; what is in flight is finished, for a bounded time.
    pub async fn stop(self) {
        self.server.stop().await;
    }
}

/// The protection that REST has from its own middleware.
async fn guard(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let _our_turn = Turn::ours(&request);
    let held = hold(&mut request);
    let response = next.call(request).await?;
    Ok(match held {
        Some(held) => held.behind(response).await,
        None => response,
    })
}
