//! What is counted about the connection to the broker. Registered only if a broker is configured: without one, a gauge
//! `connected 0` would fire an alert.

use metrics::{CounterVec, Gauge, Registry, Result};

use super::disconnect::Reason;

pub(super) struct AmqpMetrics {
    /// One of its own: the bus is made, and counts, before there is that of a service.
    pub(super) registry: Registry,
    pub(super) connected: Gauge,
    pub(super) blocked: Gauge,
    pub(super) unconfirmed: Gauge,
    pub(super) reconnects: CounterVec,
}

impl AmqpMetrics {
    pub(super) fn new() -> Self {
        Self::on(Registry::new()).expect("the names are valid")
    }

    fn on(registry: Registry) -> Result<Self> {
        let metrics = Self {
            connected: registry
                .gauge("myevents_amqp_connected", "1 while there is a connection to the broker, else 0.")?,
            blocked: registry
                .gauge("myevents_amqp_blocked", "1 while the broker takes no messages (memory or disk alarm).")?,
            unconfirmed: registry
                .gauge("myevents_amqp_unconfirmed_messages", "Messages published and not yet confirmed.")?,
            reconnects: registry.counter_vec(
                "myevents_amqp_reconnects_total",
                "Connections to the broker, and tries to make one, by what they ended by.",
                &["reason"],
            )?,
            registry,
        };
        for reason in Reason::ALL {
            metrics.reconnects.with_label_values(&[&reason.to_string()]);
        }
        Ok(metrics)
    }
}
