//! The `myevents` binary. `lib.rs` is the map.

use std::process::ExitCode;

use myevents::{config, serve};

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    match run().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("myevents: {error:#}");
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
