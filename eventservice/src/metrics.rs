//! What is counted about events and locations, and how far the view has come.

use metrics::{Counter, Gauge, Registry, Result};

/// The metrics about events, locations and the view.
#[derive(Clone)]
pub struct EventMetrics {
    /// Counts each event once it is durable.
    pub(crate) events: Counter,
    /// Counts each location once it is durable.
    pub(crate) locations: Counter,
    /// The sum of the versions that are stored. Other processes may change them, too.
    pub(crate) view: Gauge,
}

impl EventMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self> {
        Ok(Self {
            events: registry.counter("myevents_events_created_total", "Events created.")?,
            locations: registry.counter("myevents_locations_created_total", "Locations created.")?,
            view: registry.gauge(
                "myevents_view_seat_changes",
                "Changes of seats this service has heard of: the sum of the versions it shows. It catches up with \
                 myevents_seat_changes of the booking service. Of the store.",
            )?,
        })
    }
}
