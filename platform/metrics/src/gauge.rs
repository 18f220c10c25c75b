//! What goes up and down.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use crate::{
    family::{Metric, MetricVec},
    model::{Kind, Value},
};

/// A number that goes up and down. A clone shows the same series.
#[derive(Clone, Debug, Default)]
pub struct Gauge(Arc<AtomicU64>); // the bits of a floating point number, since there is no atomic one

/// Gauges with labels.
pub type GaugeVec = MetricVec<Gauge>;

impl Gauge {
    /// Shows this from now on.
    pub fn set(&self, value: f64) {
        self.0.store(value.to_bits(), Ordering::Relaxed);
    }

    /// Adds to it.
    pub fn add(&self, value: f64) {
        let add = |bits| Some((f64::from_bits(bits) + value).to_bits());
        let _ = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, add); // it always has a new value
    }

    /// Takes from it.
    pub fn sub(&self, value: f64) {
        self.add(-value);
    }

    /// Adds one.
    pub fn inc(&self) {
        self.add(1.0);
    }

    /// Takes one.
    pub fn dec(&self) {
        self.add(-1.0);
    }

    /// What it shows.
    pub fn get(&self) -> f64 {
        f64::from_bits(self.0.load(Ordering::Relaxed))
    }
}

impl Metric for Gauge {
    type Options = ();
    const KIND: Kind = Kind::Gauge;
    const HAS_START: bool = false;

    fn new((): &()) -> Self {
        Self::default()
    }

    fn value(&self) -> Value {
        Value::Gauge(self.get())
    }
}
