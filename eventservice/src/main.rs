//! The `eventservice` binary: the service on its own.

use std::{process::ExitCode, sync::Arc};

use amqp::AmqpBus;
use anyhow::bail;
use eventservice::{app, config, listener::QUEUE};
use process::shutdown;
use service::{closed, command::Command};

fn main() -> ExitCode {
    process::threads::run(run()).map_or_else(
        |error| {
            eprintln!("eventservice: {error:#}"); // without the backtrace that `main` would print of an `Err`
            ExitCode::FAILURE
        },
        |()| ExitCode::SUCCESS,
    )
}

async fn run() -> anyhow::Result<()> {
    let config = match config::read()? {
        Command::Serve(config) => config,
        Command::Healthcheck(ops) => return Ok(service::healthcheck::ask(ops)?),
    };
    config.log.install();
    let Some(broker) = config.broker else {
        bail!(
            "AMQP_BROKER_URL is not set, and a service on its own reaches the others only through a broker; \
             `myevents` runs both services in one process and needs none"
        );
    };
    let stop = shutdown::on_signal()?;
    let bus = Arc::new(AmqpBus::start(broker, QUEUE, Default::default()));
    let service = app::build(config.settings, bus, stop.clone()).await?;
    let file = service.file_closed();
    service.run_until(stop).await?;
    closed(file).await;
    Ok(())
}
