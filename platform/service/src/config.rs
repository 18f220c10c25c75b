//! The configuration of a service that runs on its own: its options, checked. `options.rs` makes it.

use amqp::Broker;
use process::telemetry::LogConfig;

use crate::settings::Settings;

/// What a service on its own needs to start.
pub struct Config {
    /// How the service runs.
    pub settings: Settings,
    /// How it logs.
    pub log: LogConfig,
    /// The message broker, if one is named.
    pub broker: Option<Broker>,
}
