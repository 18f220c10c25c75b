//! The TCP stream under actix, which ends when its client is too slow, and soon after the server begins to stop. While a handler
//! runs no timeout of this file runs; the middleware says so by a [`HandlingGuard`]. After an answer that says `Connection: close`, no
//! further request of the connection is handled. A body without a length may be sent for as long as it lasts ([`Lasting`]), to a client
//! that takes it. The stream also hides offers to change the protocol ([`Offers`]).
//!
//! Whenever the stream has to wait, it checks the deadline of its [`ConnectionState`]. It has one timer per connection. A request
//! does not reset the timer: when the timer fires, it looks at what has happened since.
//!
//! **Workaround for actix-http 3.20**, until it times every head and answers at shutdown what has arrived. Its header read
//! timeout covers only the first request of a connection: half a head after an answer would hold the connection for ever
//! (<https://github.com/actix/actix-web/issues/928>, closed, but this case is left). Its own shutdown of a connection drops a
//! request that has arrived and is not read yet (<https://github.com/actix/actix-web/pull/4169>). One case is left: if the last of
//! several requests in one packet asks for `close`, actix may say so in an earlier answer, and it still handles and answers the others.

mod offers;

use std::{
    cell::Cell,
    future::Future,
    io,
    pin::Pin,
    rc::{Rc, Weak},
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_http::{ConnectionType, ResponseHead};
use actix_web::{
    body::{BodySize, BoxBody, MessageBody},
    dev::{ServiceRequest, ServiceResponse},
    http::Version,
    rt::net::TcpStream,
    web::Bytes,
};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

use self::offers::Offers;
use crate::{connection_limits::Timeouts, problem::Problem};

/// How long a connection still waits for its client once the server stops. actix looks after one second for the first time
/// whether all connections have ended, so this makes no shutdown longer.
const AT_SHUTDOWN: Timeouts = Timeouts::all(Duration::from_millis(500));

/// A connection that ends when its client is too slow.
pub(crate) struct TimedStream<S = TcpStream> {
    stream: S,
    /// The most connections of its thread, and how many there are: each one holds this once.
    open: Weak<usize>,
    timeouts: Timeouts,
    state: ConnectionState,
    timer: Pin<Box<Sleep>>,
    /// Since when the client takes nothing of what is sent.
    stuck: Option<Instant>,
    /// Ready when the server stops; `None` once that was seen.
    shutdown: Option<Pin<Box<dyn Future<Output = ()>>>>,
    offers: Offers,
}

impl<S> TimedStream<S> {
    /// A new connection, which is counted by `open` while it lasts. `shutdown` is ready when the server stops.
    pub(crate) fn new(
        stream: S,
        open: Weak<usize>,
        timeouts: Timeouts,
        shutdown: impl Future<Output = ()> + 'static,
    ) -> Self {
        let timer = Box::pin(sleep(timeouts.head));
        Self {
            stream,
            open,
            timeouts,
            state: ConnectionState::new(),
            timer,
            stuck: None,
            shutdown: Some(Box::pin(shutdown)),
            offers: Offers::default(),
        }
    }

    /// For the middleware.
    pub(crate) fn state(&self) -> ConnectionState {
        self.state.clone()
    }

    fn is_stopping(&mut self, cx: &mut Context<'_>) -> bool {
        if self.shutdown.as_mut().is_some_and(|shutdown| shutdown.as_mut().poll(cx).is_ready()) {
            self.shutdown = None;
            self.timer.as_mut().reset(Instant::now());
        }
        self.shutdown.is_none()
    }

    /// Whether more than three quarters of the connections are taken. Then idle ones are kept for a short time only, so that nobody
    /// can keep new clients out with them.
    fn are_many(&self) -> bool {
        self.open.upgrade().is_some_and(|max| self.open.weak_count() * 4 > *max * 3)
    }

    /// Ready when the connection has to end.
    fn poll_timeout(&mut self, mut timeouts: Timeouts, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            if self.are_many() {
                timeouts.idle = timeouts.idle.min(timeouts.head);
            }
            let (now, deadline) = (Instant::now(), self.state.deadline(timeouts, self.stuck));
            if deadline.is_some_and(|deadline| deadline <= now) {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            // A head that begins after this check has its deadline no earlier than the next check, so no deadline is missed.
            let next_check = now + timeouts.head;
            self.timer.as_mut().reset(deadline.map_or(next_check, |deadline| deadline.min(next_check)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for TimedStream<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let (timeouts, filled) = (self.timeouts, buffer.filled().len());
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.state.bytes_arrived();
                self.offers.hide(&mut buffer.filled_mut()[filled..]);
                Poll::Ready(read)
            }
            // As if the client had closed its side: an answer that is being sent is still sent.
            Poll::Pending if self.is_stopping(cx) => self.poll_timeout(AT_SHUTDOWN, cx).map(|_| Ok(())),
            Poll::Pending => self.poll_timeout(timeouts, cx).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for TimedStream<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        // A body that lasts has no end that would be worth a wait.
        let cut = self.shutdown.is_none() && matches!(self.state.0.get(), Phase::Lasting { .. });
        let timeouts = if cut { AT_SHUTDOWN } else { self.timeouts };
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => {
                self.stuck = None;
                Poll::Ready(written)
            }
            // The client does not take its answer.
            Poll::Pending => {
                self.stuck.get_or_insert_with(Instant::now);
                self.poll_timeout(timeouts, cx).map(Err)
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[derive(Clone, Copy)]
enum Phase {
    /// Connected at this time; the first head is not complete.
    FirstHead(Instant),
    /// Answered at this time; no byte of the next request has arrived.
    Idle(Instant),
    /// The first byte of a later head arrived at this time.
    Head(Instant),
    /// A handler runs; whether its answer says that the connection ends.
    Handling { closes: bool },
    /// The handler has answered, and its body is made while it is sent; whether the answer says that the connection ends.
    Lasting { closes: bool },
    /// Answered for the last time at this time.
    Closing(Instant),
}

/// The phase of one connection. Its stream and the middleware, which sees the requests, share it.
#[derive(Clone)]
pub(crate) struct ConnectionState(Rc<Cell<Phase>>);

/// A handler runs until this is dropped, also when it panics or is dropped with its connection.
pub(crate) struct HandlingGuard(ConnectionState);

impl ConnectionState {
    /// A new connection, which waits for its first head.
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Phase::FirstHead(Instant::now()))))
    }

    /// A handler begins with this request, unless the last answer said that the connection ends. A client may have sent requests
    /// before it read that; it may take none of them for handled (RFC 9112, 9.6). A unit test has no connection, so it gets no guard.
    pub(crate) fn handling(request: &ServiceRequest) -> Result<Option<HandlingGuard>, Problem> {
        let Some(state) = request.conn_data::<Self>() else { return Ok(None) };
        if matches!(state.0.get(), Phase::Closing(_)) {
            let detail = "an answer in front of this one has ended the connection; send the request on a new one";
            return Err(Problem::unavailable(detail).close());
        }
        Ok(Some(state.handle(request.head().connection_type() == ConnectionType::Close)))
    }

    pub(super) fn handle(&self, closes: bool) -> HandlingGuard {
        self.0.set(Phase::Handling { closes });
        HandlingGuard(self.clone())
    }

    /// Bytes have arrived.
    pub(super) fn bytes_arrived(&self) {
        if let Phase::Idle(_) = self.0.get() {
            self.0.set(Phase::Head(Instant::now()));
        }
    }

    /// When the connection must end, if nothing happens; `None` while a handler runs, and while a client that is not `stuck` is sent a body
    /// that lasts.
    pub(super) fn deadline(&self, timeouts: Timeouts, stuck: Option<Instant>) -> Option<Instant> {
        match self.0.get() {
            Phase::FirstHead(since) => Some(since + timeouts.first_head),
            Phase::Idle(since) | Phase::Closing(since) => Some(since + timeouts.idle),
            Phase::Head(since) => Some(since + timeouts.head),
            Phase::Handling { .. } => None,
            Phase::Lasting { .. } => stuck.map(|since| since + timeouts.idle),
        }
    }
}

impl HandlingGuard {
    /// The handler answers with this head, which says that the connection ends if the request says so.
    pub(crate) fn answers(&self, head: &mut ResponseHead) {
        // actix uses a head again, and leaves the version of an earlier request in it: of HTTP/1.0 it would mean close. It writes the
        // right one when it sends the head.
        head.version = Version::HTTP_11;
        if matches!(self.0.0.get(), Phase::Handling { closes: true }) {
            head.set_connection_type(ConnectionType::Close);
        }
        self.0.0.set(Phase::Handling { closes: head.connection_type() == ConnectionType::Close });
    }

    /// The answer, if its body has no length: as one that lasts. Any other is sent, or ends the connection, within the time in which the
    /// next request must come.
    pub(crate) fn keep(self, answer: ServiceResponse) -> ServiceResponse {
        if answer.response().body().size() != BodySize::Stream {
            return answer;
        }
        let closes = matches!(self.0.0.get(), Phase::Handling { closes: true });
        self.0.0.set(Phase::Lasting { closes });
        answer.map_body(|_, body| BoxBody::new(Lasting { body, _handling: self }))
    }
}

impl Drop for HandlingGuard {
    fn drop(&mut self) {
        let closes = matches!(self.0.0.get(), Phase::Handling { closes: true } | Phase::Lasting { closes: true });
        self.0.0.set(if closes { Phase::Closing } else { Phase::Idle }(Instant::now()));
    }
}

/// A body that is made while it is sent, like a stream of events. Its connection counts as used until its end.
struct Lasting {
    body: BoxBody,
    _handling: HandlingGuard,
}

impl MessageBody for Lasting {
    type Error = Box<dyn std::error::Error>;

    fn size(&self) -> BodySize {
        self.body.size()
    }

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Self::Error>>> {
        Pin::new(&mut self.body).poll_next(cx)
    }
}

#[cfg(test)]
mod tests;
