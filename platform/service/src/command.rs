//! The commands of a service that runs on its own: to serve, or to check a running service.

use std::net::SocketAddr;

use crate::config::Config;

/// What the command line asks for.
pub enum Command {
    /// To run the service.
    Serve(Box<Config>),
    /// To check the service whose ops port has this address.
    Healthcheck(SocketAddr),
}

/// The subcommands; without one the service runs.
#[derive(clap::Subcommand)]
pub enum Job {
    /// Asks the running service whether it is ready, and ends with 0 or 1: a container's health check
    Healthcheck,
}
