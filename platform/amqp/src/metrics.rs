//! What is counted about the connection to the broker. Registered only if a broker is configured: without one, a gauge
//! `connected 0` would fire an alert.

use prometheus::{IntCounterVec, IntGauge, Opts, Registry, Result};

use super::disconnect::Reason;

pub(super) struct AmqpMetrics {
    pub(super) connected: IntGauge,
    pub(super) blocked: IntGauge,
    pub(super) unconfirmed: IntGauge,
    pub(super) reconnects: IntCounterVec,
}

impl AmqpMetrics {
    pub(super) fn new() -> Self {
        let gauge = |name, help| IntGauge::new(name, help).expect("the name is valid");
        let reconnects = "Connections to the broker, and tries to make one, by what they ended by.";
        let reconnects = Opts::new("myevents_amqp_reconnects_total", reconnects);
        let metrics = Self {
            connected: gauge("myevents_amqp_connected", "1 while there is a connection to the broker, else 0."),
            blocked: gauge("myevents_amqp_blocked", "1 while the broker takes no messages (memory or disk alarm)."),
            unconfirmed: gauge("myevents_amqp_unconfirmed_messages", "Messages published and not yet confirmed."),
            reconnects: IntCounterVec::new(reconnects, &["reason"]).expect("the name is valid"),
        };
        for reason in Reason::ALL {
            metrics.reconnects.with_label_values(&[&reason.to_string()]);
        }
        metrics
    }

    /// Not by prometheus' macros: the bus is made, and counts, before there is a registry.
    pub(super) fn register(&self, registry: &Registry) -> Result<()> {
        registry.register(Box::new(self.connected.clone()))?;
        registry.register(Box::new(self.blocked.clone()))?;
        registry.register(Box::new(self.unconfirmed.clone()))?;
        registry.register(Box::new(self.reconnects.clone()))
    }
}
