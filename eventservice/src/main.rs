//! The `eventservice` binary: the service on its own.

use anyhow::bail;
use eventservice::config::{self, Command};

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let config = match config::read()? {
        Command::Serve(config) => config,
        Command::Healthcheck(ops) => return Ok(platform::healthcheck::ask(ops)?),
    };
    config.log.install();
    let Some(_broker) = config.broker else {
        bail!(
            "AMQP_BROKER_URL is not set, and a service on its own reaches the others only through a broker; \
             `myevents` runs both services in one process and needs none"
        );
    };
    bail!("this version cannot speak AMQP yet; `myevents` runs both services in one process without it");
}
