//! `myevents`: both services in one process, with nothing to install.
//!
//! - [`config`]: the options
//! - [`serve`]: builds both services, runs them, stops them
//! - [`folder`]: whose data folder it is, and whether it is new
//! - [`samples`]: three events to begin with
//! - [`own_rest`]: how this program speaks to its own REST
//! - [`start_page`]: what is told when all is ready
//!
//! Each further job of the command line is a subcommand with a module of its own beside `serve`.

mod config;
mod folder;
mod own_rest;
mod samples;
mod serve;
mod start_page;

use std::process::ExitCode;

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("myevents: {error}"); // each of our errors tells its cause itself
            ExitCode::FAILURE
        }
    }
}

async fn run() -> anyhow::Result<()> {
    let (config, log) = config::read()?;
    log.install();
    let stop = platform::shutdown::on_signal()?;
    serve::run(config, stop).await
}
