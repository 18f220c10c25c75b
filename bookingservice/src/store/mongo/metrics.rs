//! What is counted about holds and the janitor.

use metrics::{CounterVec, Gauge, Registry, Result};

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
    pub(super) longest: Gauge,
    pub(super) oldest: Gauge,
    repairs: CounterVec,
    pub(super) last_run: Gauge,
}

impl HoldMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let metrics = Self {
            longest: registry.gauge("myevents_holds", "Unsettled holds of the event that has most of them. Of the store.")?,
            oldest: registry.gauge(
                "myevents_holds_oldest_timestamp_seconds",
                "When the oldest unsettled hold was written, in seconds since 1970; 0 where there is none. Of the store.",
            )?,
            repairs: registry.counter_vec(
                "myevents_janitor_repairs_total",
                "Holds of requests that did not come to their end, by what the janitor did.",
                &["action"],
            )?,
            last_run: registry.gauge(
                "myevents_janitor_last_run_timestamp_seconds",
                "When the janitor last looked at all it had to, in seconds since 1970.",
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
