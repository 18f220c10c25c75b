//! A running service: the REST server, the ops server and the relay, and the order in which they stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::dev::Server;
use messaging::outbox::relay::Relay;
use process::background::Background;
use sqlite::Database;
use tokio_util::sync::CancellationToken;
use webserver::small::SmallServer;

/// How long the outbox is flushed at shutdown. The messages that are left are published after the next start.
const FLUSH_TIMEOUT: Duration = Duration::from_secs(3);

/// How long the database files may take to close: waiting writes are done, and the write-ahead log is copied into each file.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(5);

/// A service whose parts are built; it answers once it runs.
pub struct Service {
    /// For the log.
    pub name: &'static str,
    /// Where REST listens, with the real port.
    pub rest_address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    /// The database file, if the store is one.
    pub database: Option<Arc<Database>>,
    pub(crate) shutdown_delay: Duration,
    pub(crate) rest: Server,
    pub(crate) ops: SmallServer,
    pub(crate) relay: Relay,
    pub(crate) background: Background,
}

impl Service {
    /// A token that is cancelled once the database file is closed, if the store is one; for [`closed`].
    pub fn file_closed(&self) -> Option<CancellationToken> {
        self.database.as_ref().map(|file| file.closed())
    }

    /// Runs until `stop` is cancelled. Then it shuts down gracefully, in this order:
    ///
    /// 1. `/readyz` answers 503, and each answer of REST closes its connection, so that load balancers and clients use another process.
    /// 2. For the shutdown delay everything else goes on: a client that has not noticed yet still gets its answers.
    /// 3. No connection is accepted any more, and requests in flight are finished. A connection that was idle until now is closed here.
    ///    A request that is sent at that moment is lost, as with any HTTP/1.1 server (RFC 9112, 9.5).
    /// 4. The outbox is flushed for a bounded time.
    /// 5. The ops port ends last, so that the shutdown can be watched.
    pub async fn run_until(self, stop: CancellationToken) -> io::Result<()> {
        let (rest_handle, rest) = (self.rest.handle(), tokio::spawn(self.rest));
        let published = CancellationToken::new();
        let relay = tokio::spawn(self.relay.run(published.clone(), FLUSH_TIMEOUT));
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

/// Waits until the database files of services that have ended are closed. A process that ends before that leaves them as after a
/// crash.
pub async fn closed(files: impl IntoIterator<Item = CancellationToken>) {
    let closed = async {
        for file in files {
            file.cancelled().await;
        }
    };
    if tokio::time::timeout(CLOSE_TIMEOUT, closed).await.is_err() {
        tracing::warn!("the database files are not closed within {CLOSE_TIMEOUT:?}: the next start will check them");
    }
}
