//! Why there is no connection: a reason that a metric counts, and a sentence for the log.
//!
//! No text here holds a password: lapin's errors quote the broker, and the broker quotes only user names.

use lapin::{ErrorKind, protocol::AMQPErrorKind};

/// Why a connection ended, or could not be made: the values of the label `reason`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reason {
    /// No broker answers at the address.
    #[error("unreachable")]
    Unreachable,
    /// The broker refuses user, password or virtual host.
    #[error("login")]
    Login,
    /// The TLS handshake failed.
    #[error("tls")]
    Tls,
    /// The exchange or the queue exists with another type, or other arguments.
    #[error("arguments")]
    Arguments,
    /// The user is known, and may not do what is asked for.
    #[error("permission")]
    Permission,
    /// The broker closed it: it shuts down, or an operator closed the connection.
    #[error("closed")]
    Closed,
    /// The network broke it.
    #[error("broken")]
    Broken,
    /// An answer did not come in time.
    #[error("timeout")]
    Timeout,
    /// The queue or the exchange was deleted.
    #[error("queue_gone")]
    QueueGone,
}

impl Reason {
    /// All of them, so that each has a series at zero.
    pub(super) const ALL: [Self; 9] = [
        Self::Unreachable,
        Self::Login,
        Self::Tls,
        Self::Arguments,
        Self::Permission,
        Self::Closed,
        Self::Broken,
        Self::Timeout,
        Self::QueueGone,
    ];

    /// Whether a person must do something. The others pass when the broker is back.
    pub(super) fn needs_a_person(self) -> bool {
        matches!(self, Self::Login | Self::Tls | Self::Arguments | Self::Permission)
    }

    /// What that means; the name of the broker follows.
    pub(super) fn effect(self) -> &'static str {
        let connected = matches!(self, Self::Arguments | Self::Permission);
        if connected { "nothing is published or read at" } else { "no connection to" }
    }
}

#[derive(Clone, Debug, thiserror::Error)]
#[error("{text}")]
pub(super) struct Disconnect {
    pub(super) reason: Reason,
    pub(super) text: String,
}

impl Disconnect {
    pub(super) fn new(reason: Reason, text: impl Into<String>) -> Self {
        Self { reason, text: text.into() }
    }

    /// What broke a connection that was not usable yet.
    pub(super) fn before_the_login(self) -> Self {
        let reasons = [(Reason::Broken, Reason::Unreachable), (Reason::Permission, Reason::Login)];
        let changed = reasons.into_iter().find(|(reason, _)| *reason == self.reason);
        Self { reason: changed.map_or(self.reason, |(_, before)| before), ..self }
    }

    /// The answer to `what` did not come in time.
    pub(super) fn timeout(what: &str) -> Self {
        Self::new(Reason::Timeout, format!("the broker did not answer in time, asked for {what}"))
    }
}

impl From<lapin::Error> for Disconnect {
    fn from(error: lapin::Error) -> Self {
        if let ErrorKind::ProtocolError(said) = error.kind() {
            let text = format!("the broker says: {}", said.get_message());
            let reason = match said.get_id() {
                403 => Reason::Permission, // access-refused
                530 => Reason::Login,      // not-allowed, which is a virtual host that is not there
                404 => Reason::QueueGone,
                406 => Reason::Arguments,
                _ => Reason::Closed,
            };
            return Self::new(reason, text);
        }
        if let ErrorKind::IOError(cause) = error.kind() {
            let tls = cause.get_ref().is_some_and(|cause| cause.is::<TlsFailed>());
            let reason = if tls { Reason::Tls } else { Reason::Broken };
            return Self::new(reason, cause.to_string());
        }
        if let ErrorKind::MissingHeartbeatError = error.kind() {
            return Self::new(Reason::Timeout, "the broker went silent");
        }
        Self::new(Reason::Broken, error.to_string())
    }
}

/// Whether only a channel is closed, and the connection stays open. The broker closed it, or lapin met a channel that was closed
/// already: it reports so when its answer to the broker's close comes too late.
pub(super) fn closes_only_the_channel(error: &lapin::Error) -> bool {
    let kind = error.kind();
    let by_the_broker = matches!(kind, ErrorKind::ProtocolError(said) if matches!(said.kind(), AMQPErrorKind::Soft(_)));
    by_the_broker || matches!(kind, ErrorKind::InvalidChannelState(..))
}

/// Marks an I/O error as one of TLS, since lapin passes I/O errors through.
#[derive(Debug, thiserror::Error)]
#[error("the encrypted connection cannot be made: {0}")]
pub(super) struct TlsFailed(pub(super) String);
