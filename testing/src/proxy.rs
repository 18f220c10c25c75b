//! A TCP proxy that a test makes behave like a bad network.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::AbortHandle,
};

/// What happens to the bytes, of the connections there are and of new ones.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Condition {
    /// They arrive.
    Good,
    /// They arrive late.
    Slow(Duration),
    /// They vanish without an error.
    BlackHole,
    /// Every connection is closed after so many further bytes, in the middle of a frame, or once it is quiet; a new one at once.
    Drop(usize),
    /// What the server says vanishes, and the connection is closed then.
    Unanswered,
    /// The sending side of the client is closed, and the other one stays open.
    HalfClose,
}

/// Nothing comes for so long: a connection is quiet.
const QUIET: Duration = Duration::from_millis(500);

/// Stands between a service and its broker.
pub struct Proxy {
    pub address: SocketAddr,
    condition: Arc<watch::Sender<Condition>>,
    accept: AbortHandle,
}

impl Proxy {
    pub async fn to(port: u16) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let condition = Arc::new(watch::Sender::new(Condition::Good));
        let conditions = condition.clone();
        let accept = tokio::spawn(async move {
            loop {
                let (client, _) = listener.accept().await.unwrap();
                if matches!(*conditions.borrow(), Condition::Drop(_)) {
                    continue;
                }
                let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { continue };
                let ((from_client, to_client), (from_server, to_server)) = (client.into_split(), server.into_split());
                // A fault of a connection stays with it: only new connections have the new condition.
                tokio::spawn(carry(from_client, to_server, conditions.subscribe(), true));
                tokio::spawn(carry(from_server, to_client, conditions.subscribe(), false));
            }
        });
        Self { address, condition, accept: accept.abort_handle() }
    }

    pub fn set(&self, condition: Condition) {
        self.condition.send_replace(condition);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accept.abort();
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut condition: watch::Receiver<Condition>,
    upwards: bool,
) {
    let mut buffer = [0; 4096];
    let (mut swallowed, mut dropping) = (false, 0);
    loop {
        let now = *condition.borrow_and_update();
        swallowed |= now == Condition::BlackHole; // a stream with a hole in it must not go on
        if now == Condition::HalfClose && upwards {
            let _ = to.shutdown().await;
            return std::future::pending().await; // and nobody reads the client's bytes any more
        }
        if now == Condition::Drop(0) {
            return;
        }
        let drops = matches!(now, Condition::Drop(_));
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            _ = condition.changed() => continue,
            () = tokio::time::sleep(QUIET), if drops => return,
        };
        let Ok(count @ 1..) = read else { return };
        if now == Condition::Unanswered && !upwards {
            return;
        }
        dropping = if drops { dropping + count } else { 0 };
        let count = match now {
            Condition::Slow(delay) => {
                tokio::time::sleep(delay).await;
                count
            }
            Condition::Drop(last) if dropping >= last => {
                let _ = to.write_all(&buffer[..count - (dropping - last)]).await;
                return;
            }
            Condition::Good
            | Condition::BlackHole
            | Condition::Drop(_)
            | Condition::Unanswered
            | Condition::HalfClose => count,
        };
        if !swallowed && to.write_all(&buffer[..count]).await.is_err() {
            return;
        }
    }
}
