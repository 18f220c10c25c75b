//! What only grows.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    family::{Metric, MetricVec},
    model::{Kind, Value},
};

/// A whole number that only grows. A clone counts for the same series.
#[derive(Clone, Debug, Default)]
pub struct Counter(Arc<AtomicU64>);

/// Counters with labels.
pub type CounterVec = MetricVec<Counter>;

impl Counter {
    /// Counts one.
    pub fn inc(&self) {
        self.inc_by(1);
    }

    /// Counts several.
    pub fn inc_by(&self, count: u64) {
        self.0.fetch_add(count, Ordering::Relaxed);
    }

    /// How many it has counted.
    pub fn get(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

impl Metric for Counter {
    type Options = ();
    const KIND: Kind = Kind::Counter;
    const HAS_START: bool = true;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn value(&self) -> Value {
        Value::Counter(self.get() as f64)
    }
}
