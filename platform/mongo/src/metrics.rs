//! Metrics of the commands and connections, from the events of the driver.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use metrics::{CounterVec, GaugeVec, Histogram, HistogramVec, Registry, Result};
use mongodb::event::{
    EventHandler,
    cmap::{CmapEvent, ConnectionCheckoutFailedReason},
    command::CommandEvent,
};

const SECONDS: [f64; 13] = [0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];

/// The values of the label `command`; all other commands are `other`.
const COMMANDS: [&str; 9] =
    ["find", "aggregate", "insert", "update", "delete", "findAndModify", "createIndexes", "ping", "other"];

/// A reason of our own: the driver has no event for a call that finds no server.
const NO_SERVER: &str = "no_server";

/// What the client counts.
#[derive(Clone)]
pub struct ClientMetrics {
    commands: HistogramVec,
    connections: GaugeVec,
    wait: Histogram,
    failed: CounterVec,
    open: Arc<AtomicI64>,
    in_use: Arc<AtomicI64>,
}

impl ClientMetrics {
    /// Registers them, with the known label sets at zero.
    pub fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            commands: registry.histogram_vec(
                "myevents_mongodb_command_duration_seconds",
                "Time of one command, from sending it to its answer.",
                &["command", "result"],
                SECONDS,
            )?,
            connections: registry.gauge_vec(
                "myevents_mongodb_pool_connections",
                "Open connections to MongoDB.",
                &["state"],
            )?,
            wait: registry.histogram(
                "myevents_mongodb_pool_wait_seconds",
                "Time a request waited for a connection.",
                SECONDS,
            )?,
            failed: registry.counter_vec(
                "myevents_mongodb_pool_checkout_failed_total",
                "Tries to get a connection that failed, by reason; no_server where none was found to connect to.",
                &["reason"],
            )?,
            open: Arc::default(),
            in_use: Arc::default(),
        };
        for command in COMMANDS {
            metrics.commands.with_label_values(&[command, "ok"]);
            metrics.commands.with_label_values(&[command, "error"]);
        }
        for reason in ["timeout", "connection_error", NO_SERVER] {
            metrics.failed.with_label_values(&[reason]);
        }
        metrics.show_connections();
        Ok(metrics)
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add events, and the others are not counted")]
    pub(super) fn commands(&self) -> EventHandler<CommandEvent> {
        let metrics = self.clone();
        EventHandler::callback(move |event| match event {
            CommandEvent::Succeeded(event) => metrics.took(&event.command_name, "ok", event.duration.as_secs_f64()),
            CommandEvent::Failed(event) => metrics.took(&event.command_name, "error", event.duration.as_secs_f64()),
            _ => {}
        })
    }

    #[expect(clippy::wildcard_enum_match_arm, reason = "the driver may add events, and the others are not counted")]
    pub(super) fn pool(&self) -> EventHandler<CmapEvent> {
        let metrics = self.clone();
        EventHandler::callback(move |event| {
            match event {
                CmapEvent::ConnectionCreated(_) => metrics.open.fetch_add(1, Ordering::Relaxed),
                CmapEvent::ConnectionClosed(_) => metrics.open.fetch_sub(1, Ordering::Relaxed),
                CmapEvent::ConnectionCheckedIn(_) => metrics.in_use.fetch_sub(1, Ordering::Relaxed),
                CmapEvent::ConnectionCheckedOut(event) => {
                    metrics.wait.observe(event.duration.as_secs_f64());
                    metrics.in_use.fetch_add(1, Ordering::Relaxed)
                }
                CmapEvent::ConnectionCheckoutFailed(event) => {
                    let timeout = matches!(event.reason, ConnectionCheckoutFailedReason::Timeout);
                    let reason = if timeout { "timeout" } else { "connection_error" };
                    metrics.failed.with_label_values(&[reason]).inc();
                    return;
                }
                _ => return,
            };
            metrics.show_connections();
        })
    }

    pub(super) fn found_no_server(&self) {
        self.failed.with_label_values(&[NO_SERVER]).inc();
    }

    fn took(&self, command: &str, result: &str, seconds: f64) {
        let command = COMMANDS.iter().find(|known| **known == command).unwrap_or(&"other");
        self.commands.with_label_values(&[*command, result]).observe(seconds);
    }

    fn show_connections(&self) {
        let (open, in_use) = (self.open.load(Ordering::Relaxed), self.in_use.load(Ordering::Relaxed));
        self.connections.with_label_values(&["in_use"]).set(in_use.max(0) as f64);
        self.connections.with_label_values(&["idle"]).set((open - in_use).max(0) as f64);
    }
}
