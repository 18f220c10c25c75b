//! The options of the `eventservice` binary: its addresses, and what `service::options` reads for every service.

use clap::Parser;
use process::checks::{Checks, ConfigError, option};
use service::{
    Listen,
    command::{Command, Job},
    options::{ServiceOptions, parse},
};

/// Keeps events and locations: REST, metrics, and messages over AMQP.
#[derive(Parser)]
#[command(name = "eventservice", version)]
struct Options {
    #[command(subcommand)]
    job: Option<Job>,
    /// Where REST listens [default: 127.0.0.1:8181]
    #[arg(long, env = "LISTEN_ADDR")]
    listen_addr: Option<String>,
    /// Where /metrics, /livez and /readyz are [default: 127.0.0.1:9100]
    #[arg(long, env = "OPS_ADDR")]
    ops_addr: Option<String>,
    #[command(flatten)]
    others: ServiceOptions,
}

/// Reads the process's options and environment; an error lists everything that is wrong.
pub fn read() -> Result<Command, ConfigError> {
    let Options { job, listen_addr, ops_addr, others } = parse()?;
    let mut checks = Checks::new();
    let ops = Listen::read(&mut checks, option("OPS_ADDR", &ops_addr), "127.0.0.1:9100");
    if let Some(Job::Healthcheck) = job {
        checks.finish()?;
        return Ok(Command::Healthcheck(ops.address));
    }
    let rest = Listen::read(&mut checks, option("LISTEN_ADDR", &listen_addr), "127.0.0.1:8181");
    let config = others.read(&mut checks, rest, ops);
    checks.finish()?;
    Ok(Command::Serve(Box::new(config)))
}
