//! What is counted about holds and the janitor.

use prometheus::{
    Gauge, IntCounterVec, IntGauge, Registry, Result, register_gauge_with_registry,
    register_int_counter_vec_with_registry, register_int_gauge_with_registry,
};

/// What the janitor did about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Inserted the booking.
    Insert,
    /// Removed the hold, since the request was complete.
    RemoveHold,
    /// Released the seats.
    Release,
    /// Cancelled the booking, and released its seats.
    Cancel,
}

impl Repair {
    const ALL: [Self; 4] = [Self::Insert, Self::RemoveHold, Self::Release, Self::Cancel];

    fn label(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::RemoveHold => "pull",
            Self::Release => "give_back",
            Self::Cancel => "cancel",
        }
    }
}

/// The metrics of holds.
#[derive(Clone)]
pub(super) struct HoldMetrics {
    pub(super) longest: IntGauge,
    pub(super) oldest: Gauge,
    repairs: IntCounterVec,
    pub(super) last_run: Gauge,
}

impl HoldMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            longest: register_int_gauge_with_registry!(
                "myevents_holds",
                "Unsettled holds of the event that has most of them.",
                registry
            )?,
            oldest: register_gauge_with_registry!(
                "myevents_holds_oldest_timestamp_seconds",
                "When the oldest unsettled hold was written, in seconds since 1970; 0 where there is none.",
                registry
            )?,
            repairs: register_int_counter_vec_with_registry!(
                "myevents_janitor_repairs_total",
                "Holds of requests that did not come to their end, by what the janitor did.",
                &["action"],
                registry
            )?,
            last_run: register_gauge_with_registry!(
                "myevents_janitor_last_run_timestamp_seconds",
                "When the janitor last looked at all it had to, in seconds since 1970.",
                registry
            )?,
        };
        for action in Repair::ALL {
            metrics.repairs.with_label_values(&[action.label()]);
        }
        Ok(metrics)
    }

    pub(super) fn repaired(&self, action: Repair) {
        self.repairs.with_label_values(&[action.label()]).inc();
    }
}
