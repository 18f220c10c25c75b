//! What a connection waits for, and how long it may wait: a header read timeout against slow clients, and a keep-alive timeout
//! between requests. While a handler runs, none of these timeouts runs; the handler has its own.
//!
//! `TimedStream` holds a connection to the deadlines. The middleware says by a [`HandlingGuard`] that a handler runs.
//! Read next: `timed_stream.rs`.

use std::{cell::Cell, rc::Rc, time::Duration};

use actix_web::dev::ServiceRequest;
use tokio::time::Instant;

/// actix answers a slow first head with a 408. If it does not, the connection is closed this much later.
const FIRST_HEAD_GRACE: Duration = Duration::from_secs(1);

/// How long a connection waits for its client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start of the connection to the end of the first head.
    first_head: Duration,
    /// The header read timeout: from the first byte of a head to its end.
    pub head: Duration,
    /// The keep-alive timeout: from an answer to the first byte of the next request. The client must also have taken the answer
    /// by then.
    pub idle: Duration,
}

impl Timeouts {
    /// For reading a head, and for the time between an answer and the next request.
    pub const fn new(head: Duration, idle: Duration) -> Self {
        Self { first_head: head.saturating_add(FIRST_HEAD_GRACE), head, idle }
    }

    /// The same time for each.
    pub(super) const fn all(timeout: Duration) -> Self {
        Self { first_head: timeout, head: timeout, idle: timeout }
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
    /// A handler runs.
    Handling,
}

/// The phase of one connection. Its stream and the middleware, which sees the requests, share it.
#[derive(Clone)]
pub(crate) struct ConnectionState(Rc<Cell<Phase>>);

/// A handler runs until this is dropped, also when it panics or is dropped with its connection.
pub(crate) struct HandlingGuard(Option<ConnectionState>);

impl ConnectionState {
    /// A new connection, which waits for its first head.
    pub(super) fn new() -> Self {
        Self(Rc::new(Cell::new(Phase::FirstHead(Instant::now()))))
    }

    /// A handler begins with this request. A unit test has no connection, so it gets a guard without effect.
    pub(crate) fn handling(request: &ServiceRequest) -> HandlingGuard {
        request.conn_data::<Self>().map_or(HandlingGuard(None), Self::handle)
    }

    pub(super) fn handle(&self) -> HandlingGuard {
        self.0.set(Phase::Handling);
        HandlingGuard(Some(self.clone()))
    }

    /// Bytes have arrived.
    pub(super) fn bytes_arrived(&self) {
        if matches!(self.0.get(), Phase::Idle(_)) {
            self.0.set(Phase::Head(Instant::now()));
        }
    }

    /// When the connection must end, if nothing happens; `None` while a handler runs.
    pub(super) fn deadline(&self, timeouts: Timeouts) -> Option<Instant> {
        match self.0.get() {
            Phase::FirstHead(since) => Some(since + timeouts.first_head),
            Phase::Idle(since) => Some(since + timeouts.idle),
            Phase::Head(since) => Some(since + timeouts.head),
            Phase::Handling => None,
        }
    }
}

impl Drop for HandlingGuard {
    fn drop(&mut self) {
        if let Some(state) = &self.0 {
            state.0.set(Phase::Idle(Instant::now()));
        }
    }
}
