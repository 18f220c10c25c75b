//! `myevents healthcheck`: asks both services of a running `myevents` whether they are ready, for a container's health check. It can
//! ask a `myevents page`, `myevents bridge` or `myevents inbox` instead.
//!
//! The services' own binaries have the same subcommand. The request itself is in `service::healthcheck`.

use std::process::ExitCode;

use process::checks::{Checks, option};
use service::healthcheck;

/// The options of `myevents healthcheck`: the addresses, as for `myevents` itself.
#[derive(clap::Args)]
pub(crate) struct Options {
    /// What to ask: `services`, `page`, `bridge` or `inbox`
    #[arg(default_value = "services")]
    what: String,
    /// Where the event service's /readyz is
    #[arg(long, env = "EVENTS_OPS_ADDR", default_value = "127.0.0.1:9100")]
    events_ops_addr: Option<String>,
    /// Where the booking service's /readyz is
    #[arg(long, env = "BOOKINGS_OPS_ADDR", default_value = "127.0.0.1:9101")]
    bookings_ops_addr: Option<String>,
    /// Where the page is
    #[arg(long, env = "PAGE_ADDR", default_value = "127.0.0.1:8383")]
    page_addr: Option<String>,
    /// Where the bridge's /readyz is
    #[arg(long, env = "BRIDGE_OPS_ADDR", default_value = "127.0.0.1:9102")]
    bridge_ops_addr: Option<String>,
    /// Where the inbox is
    #[arg(long, env = "INBOX_ADDR", default_value = "127.0.0.1:8026")]
    inbox_addr: Option<String>,
}

/// Runs the subcommand.
pub(crate) fn run(options: &Options) -> anyhow::Result<ExitCode> {
    let mut checks = Checks::new();
    let mut address = |name, text| checks.address(option(name, text), "127.0.0.1:0");
    let asked = match options.what.as_str() {
        "services" => vec![
            address("EVENTS_OPS_ADDR", &options.events_ops_addr),
            address("BOOKINGS_OPS_ADDR", &options.bookings_ops_addr),
        ],
        "page" => vec![address("PAGE_ADDR", &options.page_addr)],
        "bridge" => vec![address("BRIDGE_OPS_ADDR", &options.bridge_ops_addr)],
        "inbox" => vec![address("INBOX_ADDR", &options.inbox_addr)],
        other => {
            checks.problem(format!("healthcheck {other:?}: it must be services, page, bridge or inbox"));
            Vec::new()
        }
    };
    checks.finish()?;
    asked.into_iter().try_for_each(healthcheck::ask)?;
    Ok(ExitCode::SUCCESS)
}
