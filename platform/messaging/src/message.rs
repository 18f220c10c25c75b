//! A message, and the outbox entry that holds it until it is published. Read next: `outbox/mod.rs`.

use jiff::Timestamp;
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
    /// The W3C trace it belongs to, if the caller sent one.
    pub traceparent: Option<String>,
    /// Whether it comes from the dead letters. Its age then says nothing about delivery.
    pub redriven: bool,
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
