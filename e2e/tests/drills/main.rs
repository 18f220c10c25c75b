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
//! - [`dead_letters`]: messages that a service gave up on
//! - [`process_limits`]: threads, and space for data; with both services in one process: [`together`]
//! - [`objectives`]: users see errors or wait
//! - [`watchers`]: DingTalk refuses, Alertmanager or Prometheus is dead
//! - [`quiet`], [`releases`]: what nobody is notified of; [`at_rest`]: `make monitor`
//!
//! With [`replicated`] services, under [`traffic`].

#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod at_rest;
mod broker;
mod dead_letters;
mod drill;
mod messages;
mod objectives;
mod process;
mod process_limits;
mod quiet;
mod releases;
mod replicated;
mod services;
mod shortened;
mod system;
mod together;
mod traffic;
mod watch;
mod watchers;

use e2e::{queue, replica};
