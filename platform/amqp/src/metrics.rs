//! What is counted about the connection to the broker. Registered only if a broker is configured: without one, a gauge
//! `connected 0` would fire an alert.

use metrics::{CounterVec, Gauge, Registry};

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
        let registry = Registry::new();
        let gauge = |name, help| registry.gauge(name, help).expect("the name is valid");
        let reconnects = "Connections to the broker, and tries to make one, by what they ended by.";
        let reconnects = registry.counter_vec("myevents_amqp_reconnects_total", reconnects, &["reason"]);
        let metrics = Self {
            connected: gauge("myevents_amqp_connected", "1 while there is a connection to the broker, else 0."),
            blocked: gauge("myevents_amqp_blocked", "1 while the broker takes no messages (memory or disk alarm)."),
            unconfirmed: gauge("myevents_amqp_unconfirmed_messages", "Messages published and not yet confirmed."),
            reconnects: reconnects.expect("the name is valid"),
            registry,
        };
        for reason in Reason::ALL {
            metrics.reconnects.with_label_values(&[&reason.to_string()]);
        }
        metrics
    }
}
