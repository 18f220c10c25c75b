//! A service that runs on its own: all that its `main` does. `myevents` runs both services in one process instead.

use std::{process::ExitCode, sync::Arc};

use amqp::AmqpBus;
use anyhow::bail;
use messaging::Bus;
use process::{checks::ConfigError, log_lines::last_words, shutdown};
use tokio_util::sync::CancellationToken;

use crate::{
    foundation::StartError,
    healthcheck,
    options::Command,
    service::{Service, closed},
    settings::Settings,
};

/// Does what the command line asks for. `name` is the name of the binary and of its queue.
pub fn run<B>(name: &'static str, command: fn() -> Result<Command, ConfigError>, build: B) -> ExitCode
where
    B: AsyncFnOnce(Settings, Arc<dyn Bus>, CancellationToken) -> Result<Service, StartError>,
{
    let ended: anyhow::Result<()> = process::threads::run(async {
        let config = match command()? {
            Command::Serve(config) => config,
            Command::Healthcheck(ops) => return Ok(healthcheck::ask(ops)?),
        };
        config.log.install();
        let Some(broker) = config.broker else {
            bail!(
                "AMQP_BROKER_URL is not set, and a service on its own reaches the others only through a broker; \
                 `myevents` runs both services in one process and needs none"
            );
        };
        let stop = shutdown::on_signal()?;
        let bus = Arc::new(AmqpBus::start(broker, name, Default::default()));
        let service = build(config.settings, bus, stop.clone()).await?;
        let file = service.file_closed();
        service.run_until(stop).await?;
        closed(file).await;
        Ok(())
    });
    match ended {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            last_words(&format!("{name}: {error:#}")); // without the backtrace that `main` would print of an `Err`
            ExitCode::FAILURE
        }
    }
}
