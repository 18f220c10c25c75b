//! The options of the `eventservice` binary: its addresses, and what `service::options` reads for every service.

use clap::Parser;
use process::checks::ConfigError;
use service::options::{Command, Job, ServiceOptions, parse};

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
    others.command(job, (&listen_addr, "127.0.0.1:8181"), (&ops_addr, "127.0.0.1:9100"))
}
