//! One connection to the broker: made once, used until the first error, then thrown away with everything on it.
//!
//! lapin can mend a connection by itself, and hung in 6 of 12 fault runs while it did. So nothing is mended here:
//! `session.rs` builds all of it again. Every wait has a limit, and [`Line::cut`] ends lapin's one thread for sure.

use std::{
    io,
    net::{Shutdown, TcpStream, ToSocketAddrs},
    os::fd::AsFd,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use futures_util::Stream;
use lapin::{
    Channel, Connection, ConnectionProperties, Event,
    tcp::AsyncTcpStream,
    uri::{AMQPScheme, AMQPUri},
};
use tokio::{sync::oneshot, time::timeout};

use super::{
    broker::Broker,
    lost::{Lost, Reason, TlsFailed},
    reactor, tls,
};

/// From the first packet to a connection that can be used, encryption and login included.
const CONNECT: Duration = Duration::from_secs(5);

/// One address of the host. A name may have several, and the first may be the one that does not answer.
const TCP: Duration = Duration::from_secs(2);

/// The answer to one call. A quorum queue that elects a leader takes a while.
const CALL: Duration = Duration::from_secs(10);

/// A farewell is polite, not necessary.
const BYE: Duration = Duration::from_secs(1);

/// lapin's thread ends at once when its socket is cut; only the lookup of a name can hold it longer.
const THREAD_ENDS: Duration = Duration::from_secs(5);

/// A connection that could be used when it was made.
pub(super) struct Line {
    connection: Connection,
    leash: Leash,
    kept: Weak<WithThread>,
    /// Resolves when lapin's thread is gone.
    thread: tokio::sync::Mutex<oneshot::Receiver<()>>,
}

impl Line {
    /// Connects and logs in.
    pub(super) async fn open(broker: &Broker, name: &str) -> Result<Self, Lost> {
        let leash = Leash::default();
        let (tell_end, mut thread) = oneshot::channel();
        let with_thread = Arc::new(WithThread { channels: Mutex::default(), _tell_end: tell_end });
        let kept = Arc::downgrade(&with_thread);
        let connecting = connect(broker, name, leash.0.clone(), with_thread)?;
        let cause = match timeout(CONNECT, connecting).await {
            Ok(Ok(connection)) => {
                return Ok(Self { connection, leash, kept, thread: tokio::sync::Mutex::new(thread) });
            }
            Ok(Err(error)) => Lost::from(error),
            Err(_) => Lost::late("a connection"),
        };
        // No second thread before the first is gone: else a broker that swallows everything would collect them.
        drop(leash);
        let _ = timeout(THREAD_ENDS, &mut thread).await;
        // Whatever breaks before the login is done is told as an address where no broker answers.
        let reason = if cause.reason == Reason::Broken { Reason::Unreachable } else { cause.reason };
        Err(Lost::new(reason, cause.text))
    }

    /// A new channel.
    pub(super) async fn channel(&self) -> Result<Channel, Lost> {
        self.call("channel.open", self.connection.create_channel()).await
    }

    /// A new channel to read on, kept until lapin's thread has ended. lapin 4.12 ends a consumer under the lock of its
    /// consumers, and takes the lock of the channel there if nothing else holds the channel any more; its thread, with
    /// a message in hand, takes the two the other way round. Both then wait for ever, and this thread with them.
    pub(super) async fn channel_to_read(&self) -> Result<Channel, Lost> {
        let channel = self.channel().await?;
        if let Some(thread) = self.kept.upgrade() {
            thread.channels.lock().unwrap_or_else(PoisonError::into_inner).push(channel.clone());
        }
        Ok(channel)
    }

    /// Waits for an answer, but not for ever. While the broker takes nothing from us (memory or disk alarm) it cannot
    /// answer either, and that is no reason to leave: the unread messages would be delivered once more.
    pub(super) async fn call<T>(&self, what: &str, answer: impl Future<Output = lapin::Result<T>>) -> Result<T, Lost> {
        self.answer(what, answer).await?.map_err(Lost::from)
    }

    /// Like [`Line::call`], where the broker may say no.
    pub(super) async fn answer<T>(
        &self,
        what: &str,
        answer: impl Future<Output = lapin::Result<T>>,
    ) -> Result<lapin::Result<T>, Lost> {
        let mut answer = std::pin::pin!(answer);
        loop {
            match timeout(CALL, &mut answer).await {
                Ok(answer) => return Ok(answer),
                Err(_) if self.is_blocked() => {}
                Err(_) => return Err(Lost::late(what)),
            }
        }
    }

    /// Whether the broker takes no messages at the moment.
    pub(super) fn is_blocked(&self) -> bool {
        self.connection.status().blocked()
    }

    /// What the broker says about the connection as a whole.
    pub(super) fn events(&self) -> impl Stream<Item = Event> + Send + use<'_> {
        self.connection.events_listener()
    }

    /// Says farewell if it can be said, and waits for the end of lapin's thread.
    pub(super) async fn close(&self) {
        let _ = timeout(BYE, self.connection.close(200, "OK".into())).await; // it may be closed already
        self.leash.0.cut();
        let _ = timeout(THREAD_ENDS, &mut *self.thread.lock().await).await;
    }
}

/// What is dropped when lapin's thread has ended, and not before.
struct WithThread {
    channels: Mutex<Vec<Channel>>,
    /// Its receiver hears of the end.
    _tell_end: oneshot::Sender<()>,
}

/// Cuts the connection when it is dropped, in whatever state that is.
#[derive(Default)]
struct Leash(Arc<Socket>);

impl Drop for Leash {
    fn drop(&mut self) {
        self.0.cut();
    }
}

/// A second handle on the socket: to end a connection whose other side is silent. lapin would wait for its answer to
/// `connection.close` for ever, with a thread and a descriptor.
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

/// lapin runs the closure on the thread it starts for the connection. So a lookup of the host's name blocks nobody else
/// there, and needs no further thread.
fn connect(
    broker: &Broker,
    name: &str,
    socket: Arc<Socket>,
    with_thread: Arc<WithThread>,
) -> Result<impl Future<Output = lapin::Result<Connection>>, Lost> {
    let tls = match broker.uri.scheme {
        AMQPScheme::AMQP => None,
        AMQPScheme::AMQPS => {
            Some(tls::connector(broker.ca.as_deref()).map_err(|cause| Lost::new(Reason::Tls, cause.to_string()))?)
        }
    };
    let properties = ConnectionProperties::default().with_connection_name(name.into());
    Ok(Connection::connector(
        broker.uri.clone(),
        reactor::current(),
        async move |uri: AMQPUri, runtime| {
            let _ = &with_thread;
            let host = (uri.authority.host.as_str(), uri.authority.port);
            let mut cause = io::Error::new(io::ErrorKind::NotFound, "the host's name has no address");
            for address in host.to_socket_addrs()? {
                match timeout(TCP, AsyncTcpStream::connect(&runtime, address)).await {
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
