//! Whose turn it is on a connection, and for how long. While it is the client's, a clock runs: it has so long to begin a
//! request, then so long to end its head. While a request is answered it is ours, and the handler has its own limits.
//!
//! actix times only the first head of a connection: after one answer, half a head would hold the connection for ever. So
//! the stream under actix looks at the clock whenever it has to wait. One timer per connection, which is never set back
//! for a request but looks, when it fires, at what has happened since.
//!
//! At a stop the client's turn becomes short. What has arrived by then is still answered, and a connection in use is not
//! closed under a request that is on its way.

use std::{
    cell::Cell,
    future::Future,
    io,
    pin::Pin,
    rc::Rc,
    task::{Context, Poll, ready},
    time::Duration,
};

use actix_web::{dev::ServiceRequest, rt::net::TcpStream};
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    time::{Instant, Sleep, sleep},
};

/// actix answers a slow first head with a 408; this much later we would close the connection without one.
const FIRST_HEAD_GRACE: Duration = Duration::from_secs(1);

/// How long a client's turn may last when the server stops. Less than the second after which actix first looks whether all
/// connections have ended, so it makes no stop longer.
const LAST: Patience = Patience { first: LAST_TURN, head: LAST_TURN, idle: LAST_TURN };
const LAST_TURN: Duration = Duration::from_millis(500);

/// How long a client's turn may last.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// From the connection to the end of its first head.
    first: Duration,
    /// From the first byte of a head to its end.
    pub head: Duration,
    /// From an answer to the first byte of the next request; the answer must have been taken by then, too.
    pub idle: Duration,
}

impl Patience {
    /// For a head, and for the time between an answer and the next request.
    pub const fn new(head: Duration, idle: Duration) -> Self {
        Self { first: head.saturating_add(FIRST_HEAD_GRACE), head, idle }
    }
}

#[derive(Clone, Copy)]
enum Whose {
    /// The client's, and nothing has come since our last answer.
    Idle(Instant),
    /// The client's, and it has connected then.
    First(Instant),
    /// The client's, and the first byte came then.
    Head(Instant),
    /// Ours.
    Ours,
}

/// Shared by a connection's stream and the middleware, which sees the requests.
#[derive(Clone)]
pub(crate) struct Turn(Rc<Cell<Whose>>);

/// Our turn, until it is dropped: also when a handler panics or is dropped with its connection.
pub(crate) struct OurTurn(Option<Turn>);

impl Turn {
    /// A request has arrived.
    pub(crate) fn ours(request: &ServiceRequest) -> OurTurn {
        let turn = request.conn_data::<Self>().cloned(); // none in a unit test, which has no connection
        if let Some(turn) = &turn {
            turn.0.set(Whose::Ours);
        }
        OurTurn(turn)
    }

    fn heard(&self) {
        if matches!(self.0.get(), Whose::Idle(_)) {
            self.0.set(Whose::Head(Instant::now()));
        }
    }

    fn ends(&self, patience: Patience) -> Option<Instant> {
        match self.0.get() {
            Whose::Idle(since) => Some(since + patience.idle),
            Whose::First(since) => Some(since + patience.first),
            Whose::Head(since) => Some(since + patience.head),
            Whose::Ours => None,
        }
    }
}

impl Drop for OurTurn {
    fn drop(&mut self) {
        if let Some(turn) = &self.0 {
            turn.0.set(Whose::Idle(Instant::now()));
        }
    }
}

/// A connection that ends when the client's turn lasts too long.
pub(crate) struct Timed<S = TcpStream> {
    stream: S,
    patience: Patience,
    turn: Turn,
    timer: Pin<Box<Sleep>>,
    /// Ready when the server stops; none when that has been seen.
    stop: Option<Pin<Box<dyn Future<Output = ()>>>>,
}

impl<S> Timed<S> {
    /// A fresh connection has the time of a head to say something.
    pub(crate) fn new(stream: S, patience: Patience, stop: impl Future<Output = ()> + 'static) -> Self {
        let turn = Turn(Rc::new(Cell::new(Whose::First(Instant::now()))));
        Self { stream, patience, turn, timer: Box::pin(sleep(patience.head)), stop: Some(Box::pin(stop)) }
    }

    /// For the middleware.
    pub(crate) fn turn(&self) -> Turn {
        self.turn.clone()
    }

    /// Whether the server stops.
    fn stops(&mut self, cx: &mut Context<'_>) -> bool {
        if self.stop.as_mut().is_some_and(|stop| stop.as_mut().poll(cx).is_ready()) {
            self.stop = None;
            self.timer.as_mut().reset(Instant::now());
        }
        self.stop.is_none()
    }

    /// Ready when the connection has to end.
    fn overdue(&mut self, patience: Patience, cx: &mut Context<'_>) -> Poll<io::Error> {
        loop {
            ready!(self.timer.as_mut().poll(cx));
            let (now, ends) = (Instant::now(), self.turn.ends(patience));
            if ends.is_some_and(|end| end <= now) {
                return Poll::Ready(io::ErrorKind::TimedOut.into());
            }
            // A head that begins after this look ends no earlier than the next one, so its end is never missed.
            let look = now + patience.head;
            self.timer.as_mut().reset(ends.map_or(look, |end| end.min(look)));
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Timed<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let patience = self.patience;
        match Pin::new(&mut self.stream).poll_read(cx, buffer) {
            Poll::Ready(read) => {
                self.turn.heard();
                Poll::Ready(read)
            }
            // As if the client had ended its side: an answer that is on its way is still sent.
            Poll::Pending if self.stops(cx) => self.overdue(LAST, cx).map(|_| Ok(())),
            Poll::Pending => self.overdue(patience, cx).map(Err),
        }
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Timed<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let patience = self.patience;
        match Pin::new(&mut self.stream).poll_write(cx, bytes) {
            Poll::Ready(written) => Poll::Ready(written),
            Poll::Pending => self.overdue(patience, cx).map(Err), // a client that does not take its answer
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};

    use super::*;

    const PATIENCE: Patience = Patience::new(Duration::from_secs(5), Duration::from_secs(30));

    /// Reads for as long as the connection bears it, and says how long that was.
    async fn bears(server: &mut Timed<tokio::io::DuplexStream>) -> (Duration, io::ErrorKind) {
        let began = Instant::now();
        loop {
            if let Err(cause) = server.read_u8().await {
                return (began.elapsed(), cause.kind());
            }
        }
    }

    fn about(took: Duration, seconds: u64) -> bool {
        (seconds * 1000..seconds * 1000 + 50).contains(&u64::try_from(took.as_millis()).unwrap())
    }

    #[tokio::test(start_paused = true)]
    async fn every_head_of_a_connection_has_the_same_time() {
        let (mut client, server) = duplex(64);
        let mut server = Timed::new(server, PATIENCE, pending());
        for _ in 0..3 {
            client.write_u8(b'G').await.unwrap();
            server.read_u8().await.unwrap();
            server.turn().0.set(Whose::Ours);
            drop(OurTurn(Some(server.turn())));
        }
        let trickle = async {
            sleep(Duration::from_secs(7)).await; // silent at first
            loop {
                client.write_u8(b'G').await.unwrap();
                sleep(Duration::from_secs(1)).await;
            }
        };
        let (took, cause) = tokio::select! { end = bears(&mut server) => end, () = trickle => unreachable!() };
        assert!(about(took, 12) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
    }

    #[tokio::test(start_paused = true)]
    async fn an_idle_connection_is_kept_for_its_time() {
        let (_client, server) = duplex(64);
        let mut server = Timed::new(server, PATIENCE, pending());
        drop(OurTurn(Some(server.turn())));
        let (took, cause) = bears(&mut server).await;
        assert!(about(took, 30) && cause == io::ErrorKind::TimedOut, "{took:?} {cause}");
    }

    #[tokio::test(start_paused = true)]
    async fn our_own_turn_is_not_timed_and_a_stop_does_not_end_it() {
        let (mut client, server) = duplex(64);
        let mut server = Timed::new(server, PATIENCE, sleep(Duration::from_secs(2)));
        server.turn().0.set(Whose::Ours);
        let body = async {
            sleep(Duration::from_secs(60)).await;
            client.write_u8(b'x').await.unwrap();
        };
        let (read, ()) = tokio::join!(server.read_u8(), body);
        assert_eq!(read.unwrap(), b'x');
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_takes_ends_the_connection() {
        let (_client, server) = duplex(64);
        let mut server = Timed::new(server, PATIENCE, pending());
        drop(OurTurn(Some(server.turn())));
        let began = Instant::now();
        let cause = server.write_all(&[0; 1000]).await.unwrap_err();
        assert!(about(began.elapsed(), 30) && cause.kind() == io::ErrorKind::TimedOut, "{cause}");
    }

    /// Reads until the end of the stream, as the server would at a stop; gives what it read and how long that took.
    async fn hears(server: &mut Timed<tokio::io::DuplexStream>) -> (Vec<u8>, Duration) {
        let (began, mut heard) = (Instant::now(), Vec::new());
        server.read_to_end(&mut heard).await.unwrap();
        (heard, began.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_stop_a_quiet_connection_ends_at_once() {
        for answered in [true, false] {
            let (_client, server) = duplex(64);
            let mut server = Timed::new(server, PATIENCE, sleep(Duration::from_secs(2)));
            if answered {
                drop(OurTurn(Some(server.turn())));
            }
            let (heard, took) = hears(&mut server).await;
            assert!(heard.is_empty() && about(took, 2), "{took:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn at_a_stop_a_connection_in_use_is_heard_for_half_a_second_more() {
        let (mut client, server) = duplex(64);
        let mut server = Timed::new(server, PATIENCE, ready(()));
        drop(OurTurn(Some(server.turn())));
        let request = async {
            sleep(Duration::from_millis(400)).await;
            client.write_all(b"GET").await.unwrap();
            sleep(Duration::from_millis(400)).await;
            client.write_all(b" /").await.unwrap();
            client
        };
        let ((heard, took), _client) = tokio::join!(hears(&mut server), request);
        assert!(heard == b"GET /" && (890..950).contains(&took.as_millis()), "{took:?}");
    }
}
