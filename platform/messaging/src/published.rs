//! The result of publishing one entry: confirmed, or why not. Read next: `bus.rs`.

/// The result for one entry. `Ok` means confirmed.
pub type Published = Result<(), PublishError>;

/// Why an entry was not published. It stays in the outbox, except for `Dead`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PublishError {
    /// The broker refused it.
    #[error("the broker refused it")]
    Nacked,
    /// No queue is bound to it, although the message is mandatory.
    #[error("no queue takes it")]
    Returned,
    /// No confirm came in time; it may have arrived.
    #[error("no confirm came in time")]
    Timeout,
    /// The bus cannot be reached.
    #[error("{0}")]
    Failed(String),
    /// A subscriber rejected it. Only a bus without a broker answers this: it has no queue for dead letters.
    #[error("{queue} will never take it: {cause}")]
    Dead {
        /// The queue that gave up on it.
        queue: String,
        /// Why.
        cause: String,
        /// The number of attempts.
        attempts: u32,
    },
}

impl PublishError {
    /// Whether only this message failed, and not the connection to the broker: others can be published.
    pub fn is_about_the_message(&self) -> bool {
        match self {
            Self::Nacked | Self::Returned | Self::Dead { .. } => true,
            Self::Timeout | Self::Failed(_) => false,
        }
    }
}
