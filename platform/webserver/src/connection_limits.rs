//! What protects a server from its clients: how many connections there may be, and how long one waits for its client.
//!
//! Each connection is a file descriptor, and the number of those is limited. Read next: `timed_stream.rs`, which holds a
//! connection to its timeouts.

use std::time::Duration;

use process::checks::{Checks, OptionText};

/// The header read timeout. The body has a deadline of its own, in `input/body.rs`.
const HEADER_READ_TIMEOUT: Duration = Duration::from_secs(5);

/// The keep-alive timeout: a connection without a request is kept open this long after an answer. Load balancers close theirs after 60 s,
/// unless they are told otherwise. Whoever of the two waits longer never sends a request into a connection that is just being closed.
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(75);

/// Reads the keep-alive timeout. It is no less than 5 s, since the clients in `tools/rest` use a connection again for 1.5 s.
pub fn keep_alive_timeout(checks: &mut Checks, option: OptionText<'_>) -> Duration {
    checks.seconds(option, KEEP_ALIVE_TIMEOUT, 5..=86_400)
}

/// The limits that protect a server from its clients.
pub struct Limits {
    /// The most connections at the same time. Further ones wait until one of these ends.
    pub connections: usize,
    /// How long a connection waits for its client.
    pub timeouts: Timeouts,
    /// How long requests that are being handled at a shutdown may still take, in whole seconds.
    pub drain_seconds: u64,
}

impl Limits {
    /// Those of REST.
    pub const fn rest(connections: usize, keep_alive: Duration) -> Self {
        Self { connections, timeouts: Timeouts::new(HEADER_READ_TIMEOUT, keep_alive), drain_seconds: 5 }
    }

    /// Those of the programs beside the services.
    pub const fn small(connections: usize) -> Self {
        Self::rest(connections, KEEP_ALIVE_TIMEOUT)
    }
}

/// actix answers a slow first head with a 408. If it does not, the connection is closed this much later.
const FIRST_HEAD_GRACE: Duration = Duration::from_secs(1);

/// How long a connection waits for its client.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// From the start of the connection to the end of the first head.
    pub(crate) first_head: Duration,
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
    pub(crate) const fn all(timeout: Duration) -> Self {
        Self { first_head: timeout, head: timeout, idle: timeout }
    }
}

/// The most connections one REST server holds at once.
pub const CONNECTIONS_MAX: usize = 25_000;

/// Descriptors that are reserved for files, listeners and outgoing connections. Two services without a client have 61 open.
const RESERVED: usize = 96;

/// The number of descriptors that this process may have.
pub fn descriptors() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

/// The most connections of each of `servers` REST servers: 25,000, or its share of the descriptors.
pub fn rest_connections(servers: usize, descriptors: usize) -> usize {
    let reserved = RESERVED + servers * ops_connections(descriptors);
    let share = descriptors.saturating_sub(reserved).max(servers) / servers;
    share.min(CONNECTIONS_MAX)
}

/// The most connections of an ops port: a sixteenth of the descriptors, from 16 to 256. REST keeps enough of them, and a few clients
/// cannot block the ops port.
pub fn ops_connections(descriptors: usize) -> usize {
    (descriptors / 16).clamp(16, 256)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_connections_together_fit_into_the_descriptors() {
        for (servers, descriptors) in [(1, 200), (2, 200), (1, 1024), (2, 1024), (2, 65_536), (2, usize::MAX)] {
            let all = servers * (rest_connections(servers, descriptors) + ops_connections(descriptors));
            assert!(all + RESERVED <= descriptors, "{servers} servers, {descriptors} descriptors: {all}");
        }
    }
}
