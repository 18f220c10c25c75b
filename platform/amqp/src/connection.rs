//! One connection to the broker. It is used until the first error and then dropped, with everything on it.
//!
//! lapin's automatic recovery is not used: it hung in 6 of our 12 fault runs, as others report
//! (<https://github.com/amqp-rs/lapin/issues/450>). `session.rs` builds everything again instead. When that report is closed,
//! recovery can be tried again. Every wait has a limit, and [`SocketGuard`] makes sure that lapin's thread ends.

use std::{
    io,
    net::{Shutdown, TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::Stream;
use lapin::{
    Channel, ConnectionProperties, Event,
    tcp::AsyncTcpStream,
    uri::{AMQPScheme, AMQPUri},
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    broker::Broker,
    disconnect::{Disconnect, Reason, TlsFailed},
    reactor, tls,
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
    socket_guard: SocketGuard,
    with_thread: Weak<WithThread>,
    /// Resolves when lapin's thread is gone.
    thread: tokio::sync::Mutex<oneshot::Receiver<()>>,
}

impl Connection {
    /// Connects and logs in.
    pub(super) async fn open(broker: &Broker, name: &str) -> Result<Self, Disconnect> {
        let socket_guard = SocketGuard::default();
        let (ended, mut thread) = oneshot::channel();
        let with_thread = Arc::new(WithThread { channels: Mutex::default(), _ended: ended });
        let of_thread = Arc::downgrade(&with_thread);
        let connecting = connect(broker, name, socket_guard.0.clone(), with_thread)?;
        let cause = match timeout(CONNECT_TIMEOUT, connecting).await {
            Ok(Ok(connection)) => {
                let thread = tokio::sync::Mutex::new(thread);
                return Ok(Self { connection, socket_guard, with_thread: of_thread, thread });
            }
            Ok(Err(error)) => Disconnect::from(error),
            Err(_) => Disconnect::timeout("a connection"),
        };
        // The next try must not start a second thread before this one has ended. If the broker accepts connections and never
        // answers, the threads would become more and more.
        drop(socket_guard);
        let _ = timeout(THREAD_END_TIMEOUT, &mut thread).await;
        // A connection that breaks before the login is counted as unreachable.
        let reason = if cause.reason == Reason::Broken { Reason::Unreachable } else { cause.reason };
        Err(Disconnect::new(reason, cause.text))
    }

    /// A new channel.
    pub(super) async fn channel(&self) -> Result<Channel, Disconnect> {
        self.call("channel.open", self.connection.create_channel()).await
    }

    /// A new channel for a consumer. A clone of it is kept until lapin's thread has ended.
    ///
    /// Without that clone lapin 4.12 can deadlock. It drops a consumer while it holds the lock of its consumers; if that was
    /// the last owner of the channel, the drop takes the lock of the channel. lapin's thread takes the two locks in the other
    /// order when a message arrives. No report of it was found in lapin's issues (#447 is another deadlock, and is mended).
    /// The clone can go when lapin drops consumers outside of its lock.
    pub(super) async fn channel_to_read(&self) -> Result<Channel, Disconnect> {
        let channel = self.channel().await?;
        if let Some(thread) = self.with_thread.upgrade() {
            thread.channels.lock().unwrap_or_else(PoisonError::into_inner).push(channel.clone());
        }
        Ok(channel)
    }

    /// Waits for an answer, with a timeout. A broker that blocks publishers (memory or disk alarm) does not answer. The
    /// connection stays open then: otherwise the unacknowledged messages would be delivered again.
    pub(super) async fn call<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<T, Disconnect> {
        self.answer(what, answer).await?.map_err(Disconnect::from)
    }

    /// Like [`Connection::call`], for a call that the broker may refuse.
    pub(super) async fn answer<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<lapin::Result<T>, Disconnect> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match timeout(CALL_TIMEOUT, &mut answer).await {
                Ok(answer) => return Ok(answer),
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
        self.socket_guard.0.cut();
        let _ = timeout(THREAD_END_TIMEOUT, &mut *self.thread.lock().await).await;
    }
}

/// Owned by lapin's thread: it is dropped when that thread has ended.
struct WithThread {
    channels: Mutex<Vec<Channel>>,
    /// Dropping it resolves [`Connection::thread`].
    _ended: oneshot::Sender<()>,
}

/// Shuts the socket down when it is dropped.
#[derive(Default)]
struct SocketGuard(Arc<Socket>);

impl Drop for SocketGuard {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// A second handle of the socket, to end a connection whose broker is silent. lapin would wait without limit for the answer
/// to `connection.close`, and keep a thread and a file descriptor. No report of that was found in lapin's issues. This can go
/// when lapin has a timeout for closing.
#[derive(Default)]
struct Socket(Mutex<Handle>);

#[derive(Default)]
struct Handle {
    stream: Option<TcpStream>,
    cut: bool,
}

impl Socket {
    fn cut(&self) {
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        handle.cut = true;
        if let Some(stream) = handle.stream.take() {
            let _ = stream.shutdown(Shutdown::Both); // it may be down already
        }
    }

    fn keep(&self, stream: impl AsFd) -> io::Result<()> {
        let stream = TcpStream::from(stream.as_fd().try_clone_to_owned()?);
        let mut handle = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if handle.cut {
            stream.shutdown(Shutdown::Both)?;
        }
        handle.stream = Some(stream);
        Ok(())
    }
}

/// lapin runs the closure on the thread that it starts for the connection. So a name lookup blocks only that thread, and needs
/// no other one.
fn connect(
    broker: &Broker,
    name: &str,
    socket: Arc<Socket>,
    with_thread: Arc<WithThread>,
) -> Result<impl Future<Output = lapin::Result<lapin::Connection>>, Disconnect> {
    let tls = match broker.uri.scheme {
        AMQPScheme::AMQP => None,
        AMQPScheme::AMQPS => Some(
            tls::connector(broker.ca.as_deref()).map_err(|cause| Disconnect::new(Reason::Tls, cause.to_string()))?,
        ),
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Ok(lapin::Connection::connector(
        broker.uri.clone(),
        reactor::current(),
        async move |uri: AMQPUri, runtime| {
            let _ = &with_thread;
            let host = (uri.authority.host.as_str(), uri.authority.port);
            let mut cause = io::Error::new(io::ErrorKind::NotFound, "the host's name has no address");
            for address in host.to_socket_addrs()? {
                match timeout(TCP_CONNECT_TIMEOUT, AsyncTcpStream::connect(&runtime, address)).await {
                    Err(_) => cause = io::Error::new(io::ErrorKind::TimedOut, "nobody answers"),
                    Ok(Err(error)) => cause = error,
                    Ok(Ok(stream)) => {
                        if let AsyncTcpStream::Plain(plain) = &stream {
                            socket.keep(plain)?;
                        }
                        return match &tls {
                            None => Ok(stream),
                            Some(tls) => {
                                let encrypted = stream.into_rustls(tls, host.0).await;
                                Ok(encrypted.map_err(|cause| io::Error::from(TlsFailed(cause.to_string())))?)
                            }
                        };
                    }
                }
            }
            Err(cause.into())
        },
        properties,
    ))
}
