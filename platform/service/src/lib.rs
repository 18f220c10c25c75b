//! A running service: its options, its ops port, the order in which its parts start and stop.
//!
//! | file | idea |
//! |---|---|
//! | [`options`], [`standalone`] | the command line of a service that runs on its own, and its `main` |
//! | [`settings`] | all that a service itself needs of what the options say |
//! | [`foundation`] | both ports and the metrics of every service, and why it does not start |
//! | [`backend`] | the store of a service, and what it means where that cannot do it |
//! | [`ops_server`] | `/metrics`, `/livez`, `/readyz`, `/dead` on a port of their own |
//! | `traces` | `/traces/{id}` of the ops port: what happened to a request |
//! | [`html`] | small pages for people: that of the ops port, and those of the inbox |
//! | [`service`] | both servers and the relay, and how they stop |
//! | [`healthcheck`] | the subcommand that asks `/readyz`, for containers without a shell |
//!
//! Read next: `app.rs` of either service, which puts all of it together.

pub mod backend;
pub mod foundation;
pub mod healthcheck;
pub mod html;
pub mod ops_server;
pub mod options;
pub mod service;
pub mod settings;
pub mod standalone;
mod traces;

pub use backend::{Backend, Resources, Unavailable};
pub use foundation::{Foundation, StartError};
pub use service::{Service, closed};
pub use settings::Settings;
pub use trace::Stories;
pub use webserver::{connection_limits::keep_alive_timeout, listen::Listen};
