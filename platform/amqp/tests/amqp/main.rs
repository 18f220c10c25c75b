//! What may happen to a broker, its queues and the way to it, with a real RabbitMQ; and what every bus must do, over it.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod broker;
mod bus;
mod messages;
mod network;
mod service;
mod strangers;
mod tls;
mod topology;
