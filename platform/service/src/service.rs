//! A running service: the REST server, the ops server and the relay, and the order in which they stop.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use actix_web::dev::Server;
use messaging::outbox::relay::Relay;
use process::background::Background;
use sqlite::Database;
use tokio_util::sync::CancellationToken;
use webserver::small::SmallServer;

/// How long the outbox is flushed at a stop. What is left then goes out at the next start.
const FLUSH: Duration = Duration::from_secs(3);

/// How long the files may take to close: what waits is written by then, and a small log copied into each file.
const CLOSE: Duration = Duration::from_secs(5);

/// The parts that run.
pub struct Service {
    /// For the log.
    pub name: &'static str,
    /// Where REST listens, with the real port.
    pub rest_address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    /// The file it stores in, where it is a file.
    pub database: Option<Arc<Database>>,
    pub(crate) shutdown_delay: Duration,
    pub(crate) rest: Server,
    pub(crate) ops: SmallServer,
    pub(crate) relay: Relay,
    pub(crate) background: Background,
}

impl Service {
    /// Cancelled once the file it stores in is closed, where it is a file; for [`closed`].
    pub fn file_closed(&self) -> Option<CancellationToken> {
        self.database.as_ref().map(|file| file.closed())
    }

    /// Runs until `stop` is cancelled. Then, in this order:
    ///
    /// 1. `/readyz` is a 503, and each answer of REST closes its connection: clients and load balancers shall go elsewhere.
    /// 2. For the shutdown delay all else goes on. Those who have not noticed yet are still answered.
    /// 3. No new connections; what is in flight is finished. A connection that was idle all the time is closed here, and a
    ///    request sent in that very moment is lost, as with any HTTP/1.1 server (RFC 9112, 9.5).
    /// 4. The outbox is flushed for a bounded time.
    /// 5. The ops port ends last, so that the end can be watched.
    pub async fn run_until(self, stop: CancellationToken) -> io::Result<()> {
        let (rest_handle, rest) = (self.rest.handle(), tokio::spawn(self.rest));
        let published = CancellationToken::new();
        let relay = tokio::spawn(self.relay.run(published.clone(), FLUSH));
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

/// Waits until the files of services that have ended are closed. A process that ends before leaves them as after a crash.
pub async fn closed(files: impl IntoIterator<Item = CancellationToken>) {
    let closed = async {
        for file in files {
            file.cancelled().await;
        }
    };
    if tokio::time::timeout(CLOSE, closed).await.is_err() {
        tracing::warn!("the database files are not closed within {CLOSE:?}: the next start will check them");
    }
}
