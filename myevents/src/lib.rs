//! `myevents`: both services in one process, with nothing to install, and the command line of the tools around them.
//!
//! - [`config`]: the options, and the list of subcommands; read it first
//! - [`serve`]: builds both services, runs them, stops them
//! - [`folder`]: whose data folder it is, and whether it is new
//! - [`own_services`]: how this program speaks to its own REST
//! - [`samples`]: three events to begin with
//! - [`start_page`]: what is shown when all is ready
//! - [`healthcheck`]: whether a running one is ready
//!
//! Every other subcommand is a crate: `load`, `inspect` (`verify` and `dead`), `bridge` and `inbox`.

pub mod config;
mod folder;
pub mod healthcheck;
mod own_services;
mod samples;
pub mod serve;
mod start_page;
