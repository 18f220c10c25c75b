//! What is counted about holds and the janitor.

use prometheus::{Gauge, IntCounterVec, IntGauge, Opts, Registry, Result};

/// What the janitor did about a hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Repair {
    /// Made the booking.
    Insert,
    /// Removed the hold, as all was done.
    Pull,
    /// Gave the seats back.
    GiveBack,
    /// Cancelled the booking.
    Cancel,
}

impl Repair {
    const ALL: [Self; 4] = [Self::Insert, Self::Pull, Self::GiveBack, Self::Cancel];

    fn label(self) -> &'static str {
        match self {
            Self::Insert => "insert",
            Self::Pull => "pull",
            Self::GiveBack => "give_back",
            Self::Cancel => "cancel",
        }
    }
}

/// The metrics of holds.
#[derive(Clone)]
pub(super) struct HoldMetrics {
    longest: IntGauge,
    oldest: Gauge,
    repairs: IntCounterVec,
    last_run: Gauge,
}

impl HoldMetrics {
    pub(super) fn new(registry: &Registry) -> Result<Self> {
        let oldest = "When the oldest unsettled hold was written, in seconds since 1970; 0 where there is none.";
        let repairs = "Holds of requests that did not come to their end, by what the janitor did.";
        let last_run = "When the janitor last looked at all it had to, in seconds since 1970.";
        let metrics = Self {
            longest: IntGauge::new("myevents_holds", "Unsettled holds of the event that has most of them.")?,
            oldest: Gauge::new("myevents_holds_oldest_timestamp_seconds", oldest)?,
            repairs: IntCounterVec::new(Opts::new("myevents_janitor_repairs_total", repairs), &["action"])?,
            last_run: Gauge::new("myevents_janitor_last_run_timestamp_seconds", last_run)?,
        };
        for action in Repair::ALL {
            metrics.repairs.with_label_values(&[action.label()]);
        }
        registry.register(Box::new(metrics.longest.clone()))?;
        registry.register(Box::new(metrics.oldest.clone()))?;
        registry.register(Box::new(metrics.repairs.clone()))?;
        registry.register(Box::new(metrics.last_run.clone()))?;
        Ok(metrics)
    }

    pub(super) fn holds(&self, longest: i64, oldest_seconds: f64) {
        self.longest.set(longest);
        self.oldest.set(oldest_seconds);
    }

    pub(super) fn repaired(&self, action: Repair) {
        self.repairs.with_label_values(&[action.label()]).inc();
    }

    pub(super) fn janitor_ran(&self, seconds: f64) {
        self.last_run.set(seconds);
    }
}
