//! What the bridge counts: the notifications, by what became of them.

use prometheus::{IntCounterVec, Opts, Registry, Result};

use super::outcome::Outcome;

/// Where they go. There is one channel; mail is Alertmanager's own.
const CHANNEL: &str = "dingtalk";

/// The bridge's own metrics.
#[derive(Clone)]
pub(super) struct BridgeMetrics {
    sent: IntCounterVec,
}

impl BridgeMetrics {
    /// Registers them, with every result at zero.
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let sent = IntCounterVec::new(
            Opts::new(
                "myevents_notifications_sent_total",
                "Notifications passed on, by channel and what became of them; several may share one message.",
            ),
            &["channel", "result"],
        )?;
        for result in Outcome::LABELS {
            sent.with_label_values(&[CHANNEL, result]);
        }
        registry.register(Box::new(sent.clone()))?;
        Ok(Self { sent })
    }

    /// Counts a notification.
    pub(super) fn count(&self, result: &str) {
        self.sent.with_label_values(&[CHANNEL, result]).inc();
    }
}
