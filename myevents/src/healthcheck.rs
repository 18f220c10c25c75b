//! `myevents healthcheck`: asks both services of a running `myevents` whether they are ready, for a container's health check.
//!
//! How one is asked is in `platform::healthcheck`; the services' own binaries have the same subcommand.

use std::process::ExitCode;

use platform::{
    config::{Checks, given},
    healthcheck,
};

/// `myevents healthcheck`: the addresses that `myevents` was given.
#[derive(clap::Args)]
pub struct Options {
    /// Where the event service's /readyz is
    #[arg(long, env = "EVENTS_OPS_ADDR", default_value = "127.0.0.1:9100")]
    events_ops_addr: Option<String>,
    /// Where the booking service's /readyz is
    #[arg(long, env = "BOOKINGS_OPS_ADDR", default_value = "127.0.0.1:9101")]
    bookings_ops_addr: Option<String>,
}

/// Asks both.
pub fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut checks = Checks::new();
    let events = checks.address(given("EVENTS_OPS_ADDR", &options.events_ops_addr), "127.0.0.1:9100");
    let bookings = checks.address(given("BOOKINGS_OPS_ADDR", &options.bookings_ops_addr), "127.0.0.1:9101");
    checks.finish()?;
    healthcheck::ask(events)?;
    healthcheck::ask(bookings)?;
    Ok(ExitCode::SUCCESS)
}
