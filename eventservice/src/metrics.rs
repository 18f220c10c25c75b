//! What is counted about events and locations, and how far the view has come.

use prometheus::{IntCounter, IntGauge, Registry, Result};

/// The metrics of this service's own matter.
#[derive(Clone)]
pub struct EventMetrics {
    events: IntCounter,
    locations: IntCounter,
    view: IntGauge,
}

impl EventMetrics {
    /// Registers them.
    pub fn new(registry: &Registry) -> Result<Self> {
        let view = "Changes of seats this service has heard of: the sum of the versions it shows. It catches up with \
                    myevents_seat_changes of the booking service.";
        let metrics = Self {
            events: IntCounter::new("myevents_events_created_total", "Events created.")?,
            locations: IntCounter::new("myevents_locations_created_total", "Locations created.")?,
            view: IntGauge::new("myevents_view_seat_changes", view)?,
        };
        registry.register(Box::new(metrics.events.clone()))?;
        registry.register(Box::new(metrics.locations.clone()))?;
        registry.register(Box::new(metrics.view.clone()))?;
        Ok(metrics)
    }

    /// An event is durable.
    pub fn event_created(&self) {
        self.events.inc();
    }

    /// A location is durable.
    pub fn location_created(&self) {
        self.locations.inc();
    }

    /// The sum of the versions that are stored, where other processes change them, too.
    pub fn stored(&self, changes: i64) {
        self.view.set(changes);
    }

    /// The versions grew by so much in all.
    pub fn applied(&self, changes: i64) {
        self.view.add(changes);
    }
}
