//! Drills: a fault is really injected, and the alert that is meant for it is followed to the mail and to DingTalk, and back.
//!
//! Each has a system of its own, with the project's rules, routes and scrapes, in which times are short: [`shortened`]. They take minutes
//! and today's Prometheus, so `.ci/drills` runs them, three at once.
//!
//! - [`watch`]: Prometheus, Alertmanager, the bridge, the inbox and a mail server; [`process`]: how each is run
//! - [`system`]: both services and a broker
//! - [`drill`]: what must be seen of a fault
//! - [`services`]: a service is killed or missing
//! - [`broker`]: it is away, or takes nothing; [`messages`]: they do not get through
//! - [`quiet`]: what nobody is told of

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod broker;
mod drill;
mod messages;
#[expect(dead_code, reason = "it serves other tests, too")]
#[path = "../../../platform/tests/servers/mongo.rs"]
mod mongo_server;
mod process;
mod quiet;
#[expect(dead_code, reason = "it serves other tests, too")]
#[path = "../../../platform/tests/servers/rabbitmq.rs"]
mod rabbitmq;
#[expect(dead_code, reason = "it serves other tests, too")]
#[path = "../apart/replica.rs"]
mod replica;
mod services;
mod shortened;
mod system;
mod watch;
