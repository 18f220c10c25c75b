//! `myevents bridge`: passes the alerts of Alertmanager and Grafana on to a DingTalk robot, and says whether they arrived.
//!
//! - [`options`]: the options
//! - [`http`]: where notifications come in, and how they are answered; read it next
//! - [`grafana`]: what Grafana sends; Alertmanager's form is in [`alerts::webhook`]
//! - [`queue`], [`pace`]: the one task that sends, and when it may send
//! - [`message`]: makes one message of one or several notifications
//! - [`robot`], [`outcome`]: the client of the robot, and what its answers mean; the protocol is in `alerts::dingtalk`
//! - [`metrics`]: its metric
//!
//! It stores nothing: the sender of a notification waits for the answer, and sends it again after an error. Its requests are not
//! counted in `myevents_request_total`, since the objectives for those are about the services.

mod grafana;
mod http;
mod message;
mod metrics;
pub mod options;
mod outcome;
pub mod pace;
mod queue;
pub mod robot;
#[cfg(test)]
mod tests;

use std::{net::SocketAddr, process::ExitCode, sync::Arc};

use process::{
    health::{Health, Probe},
    log_lines,
    metrics::{Metrics, runtime::Runtimes, usage},
};
use service::{StartError, ops_server::Ops};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use webserver::small::{LIMITS, SmallServer};

use self::{
    http::{Context, WAITING_MAX},
    metrics::BridgeMetrics,
    options::{Config, Options},
    pace::Pace,
    queue::{LastResult, Queue},
};

/// A bridge that is built; it passes notifications on once it runs.
pub struct Bridge {
    /// Where notifications come in, with the real port.
    pub address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    server: SmallServer,
    ops: SmallServer,
    queue: Queue,
}

/// Runs the subcommand.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let (config, log) = options.read()?;
    log.install();
    let stop = process::shutdown::on_signal()?;
    Bridge::build(config, stop.clone())?.run_until(stop).await;
    Ok(ExitCode::SUCCESS)
}

impl Bridge {
    /// Builds the bridge. It listens at once; notifications wait until it runs.
    pub fn build(config: Config, stop: CancellationToken) -> Result<Self, StartError> {
        let (listener, ops) = (config.listen.bind()?, config.ops.bind()?);
        let mut metrics = Metrics::default();
        usage::register(&metrics.registry)?;
        let version = env!("CARGO_PKG_VERSION");
        usage::register_build(&metrics.registry, version)?;
        log_lines::register(&metrics.registry)?;
        let runtimes = Runtimes::new(&mut metrics)?;
        runtimes.join("main");
        let counted = BridgeMetrics::new(&metrics.registry)?;

        let (sender, incoming) = mpsc::channel(WAITING_MAX);
        let last = LastResult::default();
        let context = Context { queue: sender, slots: Arc::new(Semaphore::new(WAITING_MAX)), metrics: counted };
        let joined = runtimes.clone();
        let server = SmallServer::start(LIMITS, listener, "bridge", move |app| {
            joined.join("http");
            http::configure(app, context);
        })?;
        let health = Health::new(stop).informational("dingtalk", probe(last.clone()));
        let ops = Ops { metrics, health, dead: None, stories: None, runtimes, version }.serve(ops, "bridge")?;
        let queue = Queue { incoming, robot: config.robot, pace: Pace::new(config.rules), last };
        Ok(Self { address: server.address, ops_address: ops.address, server, ops, queue })
    }

    /// Runs until `stop` is cancelled. Notifications that wait then are answered with 503.
    pub async fn run_until(self, stop: CancellationToken) {
        tracing::info!(address = %self.address, ops = %self.ops_address, robot = ?self.queue.robot, "ready");
        self.queue.run(stop).await;
        self.server.stop().await;
        self.ops.stop().await;
        tracing::info!("stopped");
    }
}

/// Shows the result of the last message. It is informational: without the robot the bridge must still answer its senders.
fn probe(last: LastResult) -> Probe {
    Arc::new(move || {
        let last = last.lock().expect("nothing panics while it holds this").clone();
        Box::pin(async move {
            let Some((at, outcome)) = last else { return Ok("nothing was sent yet".to_owned()) };
            let ago = at.elapsed().as_secs();
            match outcome.failure {
                None => Ok(format!("a message has arrived {ago} s ago")),
                Some(_) => Err(format!("a message has not arrived {ago} s ago: {}", outcome.detail)),
            }
        })
    })
}
