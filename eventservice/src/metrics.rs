//! What is counted about events and locations, and how far the view has come.

use prometheus::{
    IntCounter, IntGauge, Registry, Result, register_int_counter_with_registry, register_int_gauge_with_registry,
};

/// The metrics about events, locations and the view.
#[derive(Clone)]
pub struct EventMetrics {
    /// Counts each event once it is durable.
    pub(crate) events: IntCounter,
    /// Counts each location once it is durable.
    pub(crate) locations: IntCounter,
    /// The sum of the versions that are stored. Other processes may change them, too.
    pub(crate) view: IntGauge,
}

impl EventMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self> {
        let counter = |name, help| register_int_counter_with_registry!(name, help, registry);
        Ok(Self {
            events: counter("myevents_events_created_total", "Events created.")?,
            locations: counter("myevents_locations_created_total", "Locations created.")?,
            view: register_int_gauge_with_registry!(
                "myevents_view_seat_changes",
                "Changes of seats this service has heard of: the sum of the versions it shows. It catches up with \
                 myevents_seat_changes of the booking service.",
                registry
            )?,
        })
    }
}
