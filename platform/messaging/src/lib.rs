//! Messages between services, and the transactional outbox that they are published from. Read this room first: the adapters
//! (`amqp`, `sqlite`, `mongo`) only implement what stands here.
//!
//! | file | idea |
//! |---|---|
//! | [`message`] | a message, and the outbox entry that carries it |
//! | [`bus`], [`handler`] | the seams: what every bus promises, what every consumer answers |
//! | [`process_with_retry`] | how a batch is handled until each message is done or dead, the same on every bus |
//! | [`in_process`] | the bus of `myevents`, where both services are one process |
//! | [`outbox`] | committed messages; [`outbox::relay`] publishes them, [`outbox::resync`] publishes the current state again |
//! | [`dead_letters`] | the messages that a queue gave up on |
//! | [`metrics`] | what is counted |
//!
//! Read next: the crate `amqp`, which is the bus over RabbitMQ, or `sqlite`, which keeps the outbox in a table.

pub mod bus;
pub mod dead_letters;
pub mod handler;
pub mod in_process;
pub mod message;
pub mod metrics;
pub mod outbox;
pub mod process_with_retry;

pub use bus::{Bus, PublishError, Published, Subscription, probe};
pub use dead_letters::{DeadLetter, DeadLetters};
pub use handler::{Effect, Handler, Outcome};
pub use message::{Entry, Message};
