//! One connection to the broker. It is used until the first error and then dropped, with everything on it.
//!
//! lapin's automatic recovery is not used: it hung in 6 of our 12 fault runs, as others report
//! (<https://github.com/amqp-rs/lapin/issues/450>). `session.rs` builds everything again instead. When that report is closed,
//! recovery can be tried again. Every wait has a limit, and [`SocketGuard`] makes sure that lapin's thread ends.

use std::{
    io,
    net::{self, Shutdown, ToSocketAddrs},
    ops::Deref,
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::Stream;
use lapin::{
    ConnectionProperties, Event,
    tcp::{AsyncTcpStream, RustlsConnector, RustlsConnectorConfig},
    uri::{AMQPScheme, AMQPUri},
};
use rustls_pki_types::{CertificateDer, pem::PemObject};
use tokio::{net::TcpStream, time::timeout};
use tokio_util::{
    compat::TokioAsyncReadCompatExt,
    sync::{CancellationToken, DropGuard},
};

use super::{
    broker::Broker,
    disconnect::{Disconnect, Reason, TlsFailed},
    incoming::Incoming,
    reactor,
};

/// From the first packet to an open connection: TLS and login included.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// For one address of the host. A name may have several addresses, and the first may not answer.
const TCP_CONNECT_TIMEOUT: Duration = Duration::from_secs(2);

/// For the answer to one call. A quorum queue that elects a leader answers late.
const CALL_TIMEOUT: Duration = Duration::from_secs(10);

/// For the answer to `connection.close`. The connection is dropped with or without it.
const CLOSE_TIMEOUT: Duration = Duration::from_secs(1);

/// For the end of lapin's thread. It ends at once when its socket is shut down. Only a name lookup can take longer.
const THREAD_END_TIMEOUT: Duration = Duration::from_secs(5);

/// An open connection.
pub(super) struct Connection {
    connection: lapin::Connection,
    socket: Arc<SocketGuard>,
    kept_channels: KeptChannels,
    thread_ended: CancellationToken,
}

/// Clones of channels that lapin's thread owns, too. See [`Connection::channel_to_read`].
type KeptChannels = Arc<Mutex<Vec<lapin::Channel>>>;

/// A channel, and the connection it is on.
pub(super) struct Channel {
    channel: lapin::Channel,
    pub(super) connection: Arc<Connection>,
}

impl Deref for Channel {
    type Target = lapin::Channel;

    fn deref(&self) -> &lapin::Channel {
        &self.channel
    }
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn open(broker: &Broker, name: &str) -> Result<Arc<Self>, Disconnect> {
        let (socket, kept_channels) = (Arc::<SocketGuard>::default(), KeptChannels::default());
        let thread_ended = CancellationToken::new();
        let with_thread = (kept_channels.clone(), thread_ended.clone().drop_guard());
        let connecting = connect(broker, name, Arc::downgrade(&socket), with_thread)?;
        let cause = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => return Ok(Arc::new(Self { connection, socket, kept_channels, thread_ended })),
            Ok(Err(error)) => Disconnect::from(error),
            Err(_) => Disconnect::timeout("a connection"),
        };
        // The next try must not start a second thread before this one has ended. If the broker accepts connections and never
        // answers, the threads would become more and more.
        drop(socket);
        let _ = timeout(THREAD_END_TIMEOUT, thread_ended.cancelled()).await;
        Err(cause.before_the_login())
    }

    pub(super) async fn channel(self: &Arc<Self>) -> Result<Channel, Disconnect> {
        let channel = self.call("channel.open", self.connection.create_channel()).await?;
        Ok(Channel { channel, connection: self.clone() })
    }

    /// A new channel for a consumer. A clone of it is kept until lapin's thread has ended.
    ///
    /// Without that clone lapin 4.12 can deadlock. It drops a consumer while it holds the lock of its consumers; if that was
    /// the last owner of the channel, the drop takes the lock of the channel. lapin's thread takes the two locks in the other
    /// order when a message arrives. No report of it was found in lapin's issues (#447 is another deadlock, and is mended).
    /// The clone can go when lapin drops consumers outside of its lock.
    pub(super) async fn channel_to_read(self: &Arc<Self>) -> Result<Channel, Disconnect> {
        let channel = self.channel().await?;
        let mut kept = self.kept_channels.lock().unwrap_or_else(PoisonError::into_inner);
        kept.retain(|channel| channel.status().connected()); // a refused one was closed, and never had a consumer
        kept.push(channel.clone());
        Ok(channel)
    }

    /// Waits for an answer, with a timeout. A broker that blocks publishers (memory or disk alarm) does not answer. The
    /// connection stays open then: otherwise the unacknowledged messages would be delivered again.
    pub(super) async fn call<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, Disconnect> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match timeout(CALL_TIMEOUT, &mut answer).await {
                Ok(answer) => return answer.map_err(Disconnect::from),
                Err(_) if self.is_blocked() => {}
                Err(_) => return Err(Disconnect::timeout(what)),
            }
        }
    }

    /// Whether the broker blocks publishers at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// What happens to the connection as a whole: blocked, unblocked, closed.
    pub(super) fn events(&self) -> impl Stream<Item = Event> + Send + use<'_> {
        self.connection.events_listener()
    }

    /// Closes the connection, and waits for the end of lapin's thread.
    pub(super) async fn close(&self) {
        let _ = timeout(CLOSE_TIMEOUT, self.connection.close(200, "OK".into())).await; // it may be closed already
        self.socket.cut();
        let _ = timeout(THREAD_END_TIMEOUT, self.thread_ended.cancelled()).await;
    }
}

/// A second handle of the socket, to end a connection whose broker is silent. lapin would wait without limit for the answer
/// to `connection.close`, and keep a thread and a file descriptor. No report of that was found in lapin's issues. This can go
/// when lapin has a timeout for closing. It shuts the socket down when it is dropped.
#[derive(Default)]
struct SocketGuard(Mutex<Option<net::TcpStream>>);

impl SocketGuard {
    fn keep(&self, stream: impl AsFd) -> io::Result<()> {
        let stream = net::TcpStream::from(stream.as_fd().try_clone_to_owned()?);
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(stream);
        Ok(())
    }

    fn cut(&self) {
        if let Some(stream) = self.0.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = stream.shutdown(Shutdown::Both); // it may be down already
        }
    }
}

impl Drop for SocketGuard {
    fn drop(&mut self) {
        self.cut();
    }
}

/// lapin runs the closure on the thread that it starts for the connection. So a name lookup blocks only that thread, and needs
/// no other one. `with_thread` is dropped when that thread has ended.
fn connect(
    broker: &Broker,
    name: &str,
    guard: Weak<SocketGuard>,
    with_thread: (KeptChannels, DropGuard),
) -> Result<impl Future<Output = lapin::Result<lapin::Connection>>, Disconnect> {
    let tls = match broker.uri.scheme {
        AMQPScheme::AMQP => None,
        AMQPScheme::AMQPS => {
            Some(tls(broker.ca.as_deref()).map_err(|cause| Disconnect::new(Reason::Tls, cause.to_string()))?)
        }
    };
    let connector = async move |uri: AMQPUri, _| {
        let _ = &with_thread;
        let host = (uri.authority.host.as_str(), uri.authority.port);
        let socket = tcp(host).await?;
        // Where nobody waits for this connection any more, the socket is shut down at once.
        guard.upgrade().unwrap_or_default().keep(&socket)?;
        let mut stream = AsyncTcpStream::Plain(socket.compat());
        if let Some(tls) = &tls {
            let encrypted = stream.into_rustls(tls, host.0).await;
            stream = encrypted.map_err(|cause| io::Error::other(TlsFailed(cause.to_string())))?;
        }
        Ok(AsyncTcpStream::Plain(Incoming::new(stream)))
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Ok(lapin::Connection::connector(broker.uri.clone(), reactor::current(), connector, properties))
}

/// To the first address of the host that answers.
async fn tcp(host: (&str, u16)) -> io::Result<TcpStream> {
    let mut cause = io::Error::new(io::ErrorKind::NotFound, "the host's name has no address");
    for address in host.to_socket_addrs()? {
        match timeout(TCP_CONNECT_TIMEOUT, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => cause = error,
            Err(_) => cause = io::Error::new(io::ErrorKind::TimedOut, "nobody answers"),
        }
    }
    Err(cause)
}

/// TLS by rustls, so that no OpenSSL must be installed. With a CA file, only that authority is trusted, so an image without
/// certificates can connect, too. Without one, the authorities of the machine are trusted.
fn tls(ca: Option<&str>) -> io::Result<RustlsConnector> {
    let failed = |cause: String| io::Error::other(TlsFailed(cause));
    let config = match ca {
        None => RustlsConnectorConfig::new_with_native_certs().map_err(|cause| {
            let help = "this machine has no certificates of authorities; AMQP_CA_FILE can name one";
            failed(format!("{help} ({cause})"))
        })?,
        Some(pem) => {
            let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem.as_bytes()).collect();
            let mut config = RustlsConnectorConfig::default();
            config.add_parsable_certificates(certificates.map_err(|cause| failed(format!("AMQP_CA_FILE: {cause}")))?);
            config
        }
    };
    config.connector_with_no_client_auth()
}
