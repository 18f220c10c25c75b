//! The bridge's metric: notifications, by their result.

use metrics::{CounterVec, Registry, Result};

use super::outcome::Outcome;

/// The only channel. Alertmanager sends mail itself.
const CHANNEL: &str = "dingtalk";

/// The bridge's own metrics.
#[derive(Clone)]
pub(super) struct BridgeMetrics {
    sent: CounterVec,
}

impl BridgeMetrics {
    /// Registers the metric, with every result at zero.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let sent = registry.counter_vec(
            "myevents_notifications_sent_total",
            "Notifications passed on, by channel and what became of them; several may share one message.",
            &["channel", "result"],
        )?;
        for result in Outcome::LABELS {
            sent.with_label_values(&[CHANNEL, result]);
        }
        Ok(Self { sent })
    }

    /// Counts a notification.
    pub(super) fn count(&self, result: &str) {
        self.sent.with_label_values(&[CHANNEL, result]).inc();
    }
}
