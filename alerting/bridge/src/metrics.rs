//! The bridge's metric: notifications, by their result.

use prometheus::{IntCounterVec, Registry, Result, register_int_counter_vec_with_registry};

use super::outcome::Outcome;

/// The only channel. Alertmanager sends mail itself.
const CHANNEL: &str = "dingtalk";

/// The bridge's own metrics.
#[derive(Clone)]
pub(super) struct BridgeMetrics {
    sent: IntCounterVec,
}

impl BridgeMetrics {
    /// Registers the metric, with every result at zero.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let sent = register_int_counter_vec_with_registry!(
            "myevents_notifications_sent_total",
            "Notifications passed on, by channel and what became of them; several may share one message.",
            &["channel", "result"],
            registry,
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
