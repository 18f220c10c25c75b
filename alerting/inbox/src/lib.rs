//! `myevents inbox`: shows the alerts that arrive, on one page, without any account. It is for a developer's own machine.
//!
//! - [`options`]: the options
//! - [`http`]: the URLs and their handlers; read it next
//! - [`robot`]: behaves like DingTalk's robot; the protocol is in `alerts::dingtalk`
//! - [`store`]: what has arrived, in memory
//! - [`page`], [`markdown`]: how it is shown, with everything escaped that a message could hold
//! - [`linked`]: the pages behind the links of alerts

mod http;
mod linked;
mod markdown;
pub mod options;
mod page;
pub mod robot;
mod store;

use std::{net::SocketAddr, process::ExitCode};

use service::{StartError, healthcheck::url};
use tokio_util::sync::CancellationToken;
use webserver::small::{LIMITS, SmallServer};

use self::{
    http::configure,
    options::{Config, Options},
    robot::Robot,
};

/// A running inbox.
pub struct Inbox {
    /// Where it listens, with the real port.
    pub address: SocketAddr,
    server: SmallServer,
}

/// Runs the subcommand.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let (config, log) = options.read()?;
    log.install();
    let stop = process::shutdown::on_signal()?;
    Inbox::start(config)?.run_until(stop).await;
    Ok(ExitCode::SUCCESS)
}

impl Inbox {
    /// Starts it.
    pub fn start(config: Config) -> Result<Self, StartError> {
        let robot = Robot::new(config.rules);
        let server = SmallServer::start(LIMITS, config.listen.bind()?, "inbox", |app| configure(app, robot))?;
        Ok(Self { address: server.address, server })
    }

    /// Runs until `stop` is cancelled.
    pub async fn run_until(self, stop: CancellationToken) {
        let page = url(self.address);
        tracing::info!(page, "ready: for your own machine, it has no password");
        stop.cancelled().await;
        self.server.stop().await;
        tracing::info!("stopped");
    }
}
