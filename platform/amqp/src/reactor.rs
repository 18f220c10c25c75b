//! How lapin reads and writes its socket: on our tokio runtime, without a further thread.
//!
//! lapin's own adapter is `async-compat`. It enters a tokio runtime to drop a socket, and starts a second one, with a thread,
//! if the dropping thread has none (<https://github.com/smol-rs/async-compat/pull/22>); lapin drops its socket on such a
//! thread. So the socket's adapter is that of `tokio-util`. All else is passed to tokio's reactor. This file can go when
//! `async-rs` drops sockets inside the runtime that it was given; no report was found in the issues of lapin and `async-rs`.

use std::{
    io::{self, Read, Write},
    net::SocketAddr,
    os::fd::{AsFd, AsRawFd},
    time::{Duration, Instant},
};

use async_rs::{Tokio, traits::Reactor, util::RuntimeParts};
use futures_util::{
    Stream,
    io::{AsyncRead, AsyncWrite},
};
use lapin::tcp::AsyncTcpStream;
use tokio_util::compat::TokioAsyncReadCompatExt;

use super::incoming::Incoming;

/// A runtime in the form that lapin needs.
pub(super) type Runtime = async_rs::Runtime<RuntimeParts<Tokio, PlainSocketReactor>>;

/// The runtime this is called on.
pub(super) fn current() -> Runtime {
    let tokio = Tokio::current();
    Runtime::new(RuntimeParts::new(tokio.clone(), PlainSocketReactor(tokio)))
}

/// tokio's reactor with another socket type.
#[derive(Clone, Debug)]
pub(super) struct PlainSocketReactor(Tokio);

impl Reactor for PlainSocketReactor {
    type TcpStream = Incoming;
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
        async move { Ok(Incoming::new(AsyncTcpStream::Plain(connecting.await?.into_inner().compat()))) }
    }
}
