//! A running service: its options, its ops port, the order in which its parts start and stop.
//!
//! | file | idea |
//! |---|---|
//! | [`options`], [`command`] | the command line of a service that runs on its own |
//! | [`config`], [`settings`] | what the options say, checked; [`settings`] is all that a service itself needs |
//! | [`foundation`], [`backend`] | both ports and the metrics of every service; its store, and what it means where that cannot do it |
//! | [`ops_server`] | `/metrics`, `/livez`, `/readyz`, `/dead` on a port of their own |
//! | [`service`], [`start_error`] | both servers and the relay, and how they stop; why they do not start |
//! | [`standalone`] | the `main` of a service that runs on its own |
//! | [`healthcheck`] | the subcommand that asks `/readyz`, for containers without a shell |
//!
//! Read next: `app.rs` of either service, which puts all of it together.

pub mod backend;
pub mod command;
pub mod config;
pub mod foundation;
pub mod healthcheck;
pub mod ops_server;
pub mod options;
pub mod service;
pub mod settings;
pub mod standalone;
pub mod start_error;

pub use backend::{Backend, Resources, Unavailable};
pub use foundation::Foundation;
pub use service::{Service, closed};
pub use settings::{Listen, Settings};
pub use start_error::StartError;
