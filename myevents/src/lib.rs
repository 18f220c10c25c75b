//! `myevents`: both services in one process, with nothing to install, and the tools around them.
//!
//! - [`config`]: the options
//! - [`serve`]: builds both services, runs them, stops them
//! - [`folder`]: whose data folder it is, and whether it is new
//! - [`samples`]: three events to begin with
//! - [`load`]: clients that read, book and cancel, and what they measured
//! - [`own_rest`]: how this program speaks to its own REST
//! - [`record`]: what `load` writes down and `verify` holds the system to
//! - [`shapes`]: what the services answer, as far as the jobs need it
//! - [`start_page`]: what is told when all is ready
//! - [`dead`]: the messages that a service gave up on
//! - [`verify`]: whether what is stored agrees with itself
//! - [`healthcheck`]: whether a running one is ready
//! - [`urls`]: where a running system is, for the jobs that ask one
//!
//! Each further job of the command line is a subcommand with a module of its own beside `serve`. It is a library so that
//! the benchmarks can use the same parts.

pub mod config;
pub mod dead;
mod folder;
pub mod healthcheck;
pub mod load;
mod own_rest;
pub mod record;
mod samples;
pub mod serve;
mod shapes;
mod start_page;
pub mod urls;
pub mod verify;
