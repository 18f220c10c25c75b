//! The services as processes of their own, several of each, over a real RabbitMQ and MongoDB: the same promises as in one
//! process, whatever is killed, stopped or away.
//!
//! - [`world`], [`replica`], [`tools`]: the servers, the processes, and what the command line does with them
//! - [`replicas`]: several of each service on one database and broker
//! - [`rounds`]: 20 rounds of `kill -9`, with [`clients`] of the event service
//! - [`start`]: started before the servers are up
//! - [`database`], [`broker`]: a server that is away, and comes back
//! - [`queue_lost`]: a queue that is deleted with what waits in it
//! - [`operator`]: what somebody does at the broker, with or without intent
//! - [`network`]: the way to the broker breaks, under load
//! - [`trial`], [`backlog`]: what must hold in each of these faults, and work for a consumer
//! - [`poison`]: messages that nobody can handle
//! - [`queue`]: a queue, as the broker shows it
//! - [`stop`]: SIGTERM with work in hand
//! - [`stories`]: one request, told by both services
//! - [`on_sqlite`]: services that run apart with a file of their own each
//!
//! Each test has the broker to itself, since most of them stop it or ask much of it, with a virtual host of its own.

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod backlog;
mod broker;
mod clients;
mod database;
mod network;
mod on_sqlite;
mod operator;
mod poison;
mod queue_lost;
mod replicas;
mod rounds;
mod start;
mod stop;
mod stories;
mod tools;
mod trial;
mod world;

use e2e::{queue, replica};
