//! A running service: the REST server, the ops server and the relay, and the order in which they stop.

use std::{
    io,
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use actix_web::dev::Server;
use tokio_util::sync::CancellationToken;

use crate::{
    http::server::{ListenError, listen},
    outbox::relay::Relay,
};

/// How long the outbox is flushed at a stop. What is left then goes out at the next start.
const FLUSH: Duration = Duration::from_secs(3);

/// How a service is run; each binary's `config.rs` reads it from its own options.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where REST listens.
    pub rest: Listen,
    /// Where the ops port is.
    pub ops: Listen,
    /// Threads that answer REST.
    pub rest_workers: usize,
    /// REST servers in this process, which share its file descriptors.
    pub servers: usize,
    /// The folder of the database file.
    pub data_dir: PathBuf,
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
    /// Takes the address.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        listen(self.address, self.option)
    }
}

/// The parts that run, made by each service's `app.rs`.
pub struct Service {
    /// For the log.
    pub name: &'static str,
    /// Where REST listens, with the real port.
    pub rest_address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    /// Answers REST.
    pub rest: Server,
    /// Answers the ops port.
    pub ops: Server,
    /// Publishes what is committed.
    pub relay: Relay,
}

impl Service {
    /// Runs until `stop` is cancelled. Then: no new connections, finish what is in flight, flush the outbox for a bounded
    /// time, and end the ops port last, so that the end can be watched.
    pub async fn run_until(self, stop: CancellationToken) -> io::Result<()> {
        let (rest_handle, ops_handle) = (self.rest.handle(), self.ops.handle());
        let (rest, ops) = (tokio::spawn(self.rest), tokio::spawn(self.ops));
        let published = CancellationToken::new();
        let relay = tokio::spawn(self.relay.run(published.clone(), FLUSH));
        tracing::info!(service = self.name, rest = %self.rest_address, ops = %self.ops_address, "ready");

        stop.cancelled().await;
        rest_handle.stop(true).await;
        rest.await.map_err(io::Error::other)??;
        published.cancel();
        relay.await.map_err(io::Error::other)?;
        ops_handle.stop(true).await;
        ops.await.map_err(io::Error::other)??;
        tracing::info!(service = self.name, "stopped");
        Ok(())
    }
}
