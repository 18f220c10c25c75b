//! `myevents bridge`: passes the alerts of Alertmanager and Grafana on to a DingTalk robot, and says whether they arrived.
//!
//! - [`options`]: the options
//! - [`http`]: where notifications come in, and what they are answered
//! - [`grafana`]: what Grafana sends; Alertmanager's form is in [`crate::alerts`]
//! - [`queue`], [`pace`]: the one task that sends, and when it may
//! - [`message`]: one message of one or many notifications
//! - [`robot`], [`outcome`]: the robot at the other end, and what its answers mean; the protocol is in `crate::dingtalk`
//! - [`metrics`]: what is counted
//!
//! It keeps nothing: who sends a notification waits for its answer, and sends it again where that is an error. Its requests
//! are not among `myevents_request_total`: those are the services', and so is what is promised about them.

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
    metrics::{Metrics, build, runtime::Runtimes, usage},
};
use service::{StartError, ops_server::Ops};
use tokio::sync::{Semaphore, mpsc};
use tokio_util::sync::CancellationToken;
use webserver::small::SmallServer;

use self::{
    http::{AT_ONCE, Entrance},
    metrics::BridgeMetrics,
    options::{Config, Options},
    pace::Pace,
    queue::{Last, Queue},
};

/// A bridge that listens.
pub struct Bridge {
    /// Where notifications come in, with the real port.
    pub address: SocketAddr,
    /// Where the ops port is, with the real port.
    pub ops_address: SocketAddr,
    server: SmallServer,
    ops: SmallServer,
    queue: Queue,
}

/// The job as the command line asks for it.
pub async fn run(options: Options) -> anyhow::Result<ExitCode> {
    let (config, log) = options.read()?;
    log.install();
    let stop = process::shutdown::on_signal()?;
    Bridge::build(config, stop.clone())?.run_until(stop).await;
    Ok(ExitCode::SUCCESS)
}

impl Bridge {
    /// Makes it. It listens at once, and passes on when it runs.
    pub fn build(config: Config, stop: CancellationToken) -> Result<Self, StartError> {
        let (listener, ops) = (config.listen.bind()?, config.ops.bind()?);
        let metrics = Metrics::new();
        usage::register(&metrics.registry)?;
        build::register(&metrics.registry, env!("CARGO_PKG_VERSION"))?;
        let runtimes = Runtimes::new(&metrics.registry)?;
        runtimes.join("main");
        let counted = BridgeMetrics::new(&metrics.registry)?;

        let (sender, incoming) = mpsc::channel(AT_ONCE);
        let last = Last::default();
        let entrance = Entrance { queue: sender, places: Arc::new(Semaphore::new(AT_ONCE)), metrics: counted };
        let joined = runtimes.clone();
        let server = SmallServer::start(listener, "bridge", move |app| {
            joined.join("http");
            http::configure(app, entrance);
        })?;
        let health = Health::new(stop).informational("dingtalk", probe(last.clone()));
        let ops = Ops { metrics, health, dead: None, runtimes }.serve(ops, "bridge")?;
        let queue = Queue { incoming, robot: config.robot, pace: Pace::new(config.rules), last };
        Ok(Self { address: server.address, ops_address: ops.address, server, ops, queue })
    }

    /// Runs until `stop` is cancelled. Who waits for an answer then is told to try again.
    pub async fn run_until(self, stop: CancellationToken) {
        tracing::info!(address = %self.address, ops = %self.ops_address, robot = ?self.queue.robot, "ready");
        self.queue.run(stop).await;
        self.server.stop().await;
        self.ops.stop().await;
        tracing::info!("stopped");
    }
}

/// Says what became of the last message. The bridge is ready without the robot, too: it has to say that it is away.
fn probe(last: Last) -> Probe {
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
