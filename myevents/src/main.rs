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
//! Every other subcommand is a crate: `load`, `inspect` (`verify` and `dead`), `stories` (`trace`), `page`, `bridge` and `inbox`.

mod config;
mod folder;
mod healthcheck;
mod own_services;
mod samples;
mod serve;
mod start_page;

use std::process::ExitCode;

use inspect::{dead, verify};

use crate::config::{CommandLine, Job};

fn main() -> ExitCode {
    process::threads::run(run()).unwrap_or_else(|error| {
        process::log_lines::last_words(&format!("myevents: {error:#}"));
        ExitCode::FAILURE
    })
}

async fn run() -> anyhow::Result<ExitCode> {
    let CommandLine { job, serve } = service::options::parse()?;
    match job {
        None => {
            let (config, log) = serve.read()?;
            log.install();
            let stop = process::shutdown::on_signal()?;
            serve::run(config, stop).await.map(|()| ExitCode::SUCCESS)
        }
        Some(Job::Load(options)) => load::run(*options).await,
        Some(Job::Dead(options)) => dead::run(options).await,
        Some(Job::Page(options)) => page::run(options).await,
        Some(Job::Trace(options)) => stories::run(options).await,
        Some(Job::Verify(options)) => Ok(verify::run(options).await),
        Some(Job::Bridge(options)) => bridge::run(*options).await,
        Some(Job::Inbox(options)) => inbox::run(*options).await,
        Some(Job::Healthcheck(options)) => healthcheck::run(&options),
    }
}
