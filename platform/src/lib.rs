//! The plumbing every service needs. It knows nothing about events, bookings or seats.
//!
//! | module | idea |
//! |---|---|
//! | [`config`] | every value is checked before anything starts; all problems at once |
//! | [`options`] | the options that every service has on its own |
//! | [`telemetry`], [`panics`] | logs; a panic is one line of them |
//! | [`shutdown`] | signals become one token |
//! | [`fail_point`] | where a test can have the process killed |
//! | [`threads`] | the thread budget |
//! | [`http`], [`problem`] | reading, answering and counting requests; the one form of errors |
//! | [`ops_server`], [`health`] | `/metrics`, `/livez`, `/readyz`, `/dead` on a port of their own |
//! | [`healthcheck`] | the subcommand that asks `/readyz`, for containers without a shell |
//! | [`metrics`] | one registry a service; process, runtimes, build |
//! | [`messaging`] | the seams to a bus; the bus within a process |
//! | [`outbox`] | committed messages, and the relay that publishes them |
//! | [`sqlite`] | a database file with one writer and one reader |
//! | [`mongo`] | a MongoDB database, without transactions |
//! | [`background`] | tasks beside the servers |
//! | [`service`] | the running service: both servers, relay, and how they stop |

pub mod background;
pub mod config;
pub mod fail_point;
pub mod health;
pub mod healthcheck;
pub mod http;
pub mod messaging;
pub mod metrics;
pub mod mongo;
pub mod ops_server;
pub mod options;
pub mod outbox;
pub mod panics;
pub mod problem;
pub mod service;
pub mod shutdown;
pub mod sqlite;
pub mod telemetry;
pub mod threads;
