//! Messages between services, and the transactional outbox that they are published from. Read this crate first: the adapters
//! (`amqp`, `sqlite`, `mongo`) implement its traits.
//!
//! | file | idea |
//! |---|---|
//! | [`message`] | a message, the outbox entry that carries it, and the results of publishing and handling it |
//! | [`bus`] | the traits: what every bus promises, what every consumer answers |
//! | [`mod@process_with_retry`] | handles a batch until each message is done or dead, the same on every bus |
//! | [`in_process`] | the bus of `myevents`, where both services are in one process |
//! | [`outbox`] | committed messages; [`outbox::relay`] publishes them, [`outbox::resync`] republishes the current state |
//! | [`dead_letters`] | the messages that a queue gave up on |
//! | [`endpoint`] | one service's side: joins all of this |
//! | [`metrics`] | what is counted |
//!
//! Read next: the crate `amqp`, which is the bus over RabbitMQ, or `sqlite`, which keeps the outbox in a table.

pub mod bus;
pub mod dead_letters;
pub mod endpoint;
pub mod in_process;
pub mod message;
pub mod metrics;
pub mod outbox;
pub mod process_with_retry;

pub use bus::{Bus, Handler, Subscription, probe};
pub use dead_letters::{DeadLetter, DeadLetters, LIST_MAX};
pub use endpoint::Endpoint;
pub use message::{Effect, Entry, Message, Outcome, PublishError, Published};
