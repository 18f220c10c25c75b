//! A running service: its options, its ops port, the order in which it starts and stops.
//!
//! | file | idea |
//! |---|---|
//! | [`options`], [`settings`] | the options of a service that runs on its own, and what they mean |
//! | [`foundation`], [`backend`] | both ports and the metrics of every service; what it stores in |
//! | [`ops_server`] | `/metrics`, `/livez`, `/readyz`, `/dead` on a port of their own |
//! | [`service`] | both servers and the relay, and how they stop |
//! | [`healthcheck`] | the subcommand that asks `/readyz`, for containers without a shell |
//!
//! Read next: `app.rs` of either service, which puts all of it together.

pub mod backend;
pub mod foundation;
pub mod healthcheck;
pub mod ops_server;
pub mod options;
pub mod service;
pub mod settings;

pub use backend::{Backend, Resources};
pub use foundation::{Foundation, StartError};
pub use service::{Service, closed};
pub use settings::{Listen, Settings};
