//! The plumbing as a service uses it: real files, real threads, the real relay. Only the message handlers are written
//! for the tests.
//!
//! - `sqlite_*`: the database file, its writer, a full disk, the outbox
//! - `bus_suite`: what every bus must do; `bus_in_process` calls it for the bus of `myevents`, `bus_amqp` for RabbitMQ
//! - `amqp_*`: what may happen to a broker, its queues and the way to it, with a real one that `rabbitmq` finds
//! - `mongo_outbox`: messages inside documents, on a MongoDB server; `mongo_state`: what the log says of one
//! - `settle`, `relay`: the steps in between

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod amqp_broker;
mod amqp_messages;
mod amqp_network;
mod amqp_service;
mod amqp_tls;
mod amqp_topology;
mod bus_amqp;
mod bus_in_process;
mod bus_suite;
mod bus_world;
mod logs;
mod mongo_outbox;
#[expect(dead_code, reason = "no server of its own is used here")]
#[path = "../servers/mongo.rs"]
mod mongo_server;
mod mongo_state;
#[path = "../servers/proxy.rs"]
mod proxy;
#[expect(dead_code, reason = "the tests here choose their own queues, and need no virtual host")]
#[path = "../servers/rabbitmq.rs"]
mod rabbitmq;
mod relay;
mod resync;
mod settle;
mod sqlite_damaged;
mod sqlite_full;
mod sqlite_gone;
mod sqlite_open;
mod sqlite_outbox;
mod sqlite_stopped;
mod sqlite_write;
mod support;
