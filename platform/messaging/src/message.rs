//! A message, and the outbox entry that carries it to the bus.

use jiff::Timestamp;
use uuid::Uuid;

/// A message on its way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The outbox entry's id; the same in every try.
    pub id: Uuid,
    /// What kind of message it is: the routing key.
    pub name: String,
    /// JSON.
    pub body: Vec<u8>,
    /// When it was written to the outbox, in microseconds; unchanged by retries and redrives.
    pub occurred_at: Timestamp,
    /// The W3C trace it belongs to, if the caller sent one.
    pub traceparent: Option<String>,
    /// Whether it comes back from the dead letters. Its age then says nothing about delivery.
    pub redriven: bool,
}

/// A message to be published.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// What is published.
    pub message: Message,
    /// Whether there must be somebody to read it.
    pub mandatory: bool,
}

impl Entry {
    /// A new entry, with a fresh id, that occurs now.
    pub fn new(name: &str, mandatory: bool, body: Vec<u8>, traceparent: Option<String>) -> Self {
        let occurred_at = Timestamp::now();
        let message =
            Message { id: Uuid::now_v7(), name: name.to_owned(), body, occurred_at, traceparent, redriven: false };
        Self { message, mandatory }
    }
}
