//! A message, the outbox entry that holds it until it is published, and the results of publishing and handling it. Read next:
//! `bus.rs`.

use jiff::Timestamp;
use trace::{TraceId, stories::Told};
use uuid::Uuid;

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The id of the outbox entry; the same in every attempt.
    pub id: Uuid,
    /// What kind of message it is: the routing key.
    pub name: String,
    /// JSON.
    pub body: Vec<u8>,
    /// When it was written to the outbox, in microseconds. Retries and redrives do not change it.
    pub occurred_at: Timestamp,
    /// The W3C trace it belongs to; absent where no request has made it.
    pub traceparent: Option<String>,
    /// Whether it comes from the dead letters. Its age then says nothing about delivery.
    pub redriven: bool,
}

impl Message {
    /// What its story needs of it.
    pub fn told(&self) -> Told<'_> {
        (self.id, self.traceparent.as_deref())
    }

    /// Its trace, if a request has made it.
    pub fn trace_id(&self) -> Option<TraceId> {
        trace::parent::trace_id(self.traceparent.as_deref()?)
    }
}

/// A message that waits to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is published.
    pub message: Message,
    /// Whether a queue must be bound to it. It waits in the outbox until there is one.
    pub mandatory: bool,
}

impl Entry {
    /// A new entry with a new id, that occurs now.
    pub fn new(name: &str, mandatory: bool, body: Vec<u8>, traceparent: Option<String>) -> Self {
        let occurred_at = Timestamp::now();
        let message =
            Message { id: Uuid::now_v7(), name: name.to_owned(), body, occurred_at, traceparent, redriven: false };
        Self { message, mandatory }
    }
}

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

/// A handler's answer for one message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Its work is durable, or there was none to do.
    Done(Effect),
    /// It cannot be handled now (the store is away, the disk is full). It is retried in place, without limit.
    Retry(String),
    /// It can never be handled. It goes to the dead letters.
    Reject(String),
}

/// What a handled message changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Something.
    Applied,
    /// Nothing: it was handled before.
    Duplicate,
    /// Nothing: a newer message was handled before.
    Stale,
}
