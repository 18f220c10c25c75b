//! How lapin reads and writes its socket: on our tokio runtime, without a further thread.
//!
//! lapin's own adapter is `async-compat`. It enters a tokio runtime to drop a socket, and starts a second one, with a thread,
//! if the dropping thread has none (<https://github.com/smol-rs/async-compat/pull/22>); lapin drops its socket on such a
//! thread. So the socket type is our own. All else is passed to tokio's reactor. This file can go when `async-rs` drops
//! sockets inside the runtime that it was given; no report was found in the issues of lapin and `async-rs`.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd, BorrowedFd},
    pin::Pin,
    task::{Context, Poll, ready},
    time::{Duration, Instant},
};

use async_rs::{Runtime, Tokio, traits::Reactor, util::RuntimeParts};
use futures_util::{
    Stream,
    io::{AsyncRead, AsyncWrite},
};
use tokio::{io as tokio_io, net::TcpStream};

/// The runtime this is called on, in the form that lapin needs.
pub(super) fn current() -> Runtime<RuntimeParts<Tokio, PlainSocketReactor>> {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), PlainSocketReactor(tokio)))
}

/// tokio's reactor with another socket type.
#[derive(Clone, Debug)]
pub(super) struct PlainSocketReactor(Tokio);

impl Reactor for PlainSocketReactor {
    type TcpStream = Socket;
    type Sleep = <Tokio as Reactor>::Sleep;

    fn register<H: Read + Write + AsFd + AsRawFd + Send + 'static>(
        &self,
        socket: H,
    ) -> io::Result<impl AsyncRead + AsyncWrite + Send + Unpin + 'static> {
        self.0.register(socket)
    }

    fn sleep(&self, dur: Duration) -> Self::Sleep {
        self.0.sleep(dur)
    }

    fn interval(&self, dur: Duration) -> impl Stream<Item = Instant> + Send + 'static {
        self.0.interval(dur)
    }

    fn tcp_connect_addr(&self, addr: SocketAddr) -> impl Future<Output = io::Result<Self::TcpStream>> + Send + 'static {
        let connecting = self.0.tcp_connect_addr(addr);
        async move { Ok(Socket(connecting.await?.into_inner())) }
    }
}

/// tokio's socket with the traits of `futures-io`, by which lapin reads and writes.
pub(super) struct Socket(TcpStream);

impl AsFd for Socket {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl AsyncRead for Socket {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut [u8]) -> Poll<io::Result<usize>> {
        let mut buffer = tokio_io::ReadBuf::new(buffer);
        ready!(tokio_io::AsyncRead::poll_read(Pin::new(&mut self.0), cx, &mut buffer))?;
        Poll::Ready(Ok(buffer.filled().len()))
    }
}

impl AsyncWrite for Socket {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        tokio_io::AsyncWrite::poll_write(Pin::new(&mut self.0), cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        tokio_io::AsyncWrite::poll_flush(Pin::new(&mut self.0), cx)
    }

    fn poll_close(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        tokio_io::AsyncWrite::poll_shutdown(Pin::new(&mut self.0), cx)
    }
}
