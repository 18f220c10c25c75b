//! The `myevents` binary. `lib.rs` is the map.

use std::process::ExitCode;

use inspect::{dead, verify};
use myevents::{
    config::{self, Command, Job},
    healthcheck, serve,
};

fn main() -> ExitCode {
    process::threads::run(run()).unwrap_or_else(|error| {
        eprintln!("myevents: {error:#}");
        ExitCode::FAILURE
    })
}

async fn run() -> anyhow::Result<ExitCode> {
    match config::read()? {
        Command::Serve(config, log) => {
            log.install();
            let stop = process::shutdown::on_signal()?;
            serve::run(config, stop).await.map(|()| ExitCode::SUCCESS)
        }
        Command::Job(Job::Load(options)) => load::run(*options).await,
        Command::Job(Job::Dead(options)) => dead::run(options).await,
        Command::Job(Job::Verify(options)) => Ok(verify::run(options).await),
        Command::Job(Job::Bridge(options)) => bridge::run(*options).await,
        Command::Job(Job::Inbox(options)) => inbox::run(*options).await,
        Command::Job(Job::Healthcheck(options)) => healthcheck::run(&options),
    }
}
