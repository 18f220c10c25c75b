//! Observations, counted in buckets.

use std::sync::{Arc, Mutex, PoisonError};

use trace::TraceId;

use crate::{
    exemplar::Exemplar,
    family::{Metric, MetricVec},
    model::{HistogramValue, Kind, Value},
    native::Native,
    start::now,
};

/// How a histogram counts.
#[derive(Clone, Debug)]
pub struct Buckets {
    bounds: Arc<[f64]>,
    native: bool,
}

impl Buckets {
    /// The upper bounds `first`, `first + width` and so on, `count` of them.
    pub fn linear(first: f64, width: f64, count: usize) -> Self {
        (0..count).map(|n| first + width * n as f64).collect::<Vec<_>>().into()
    }

    /// Counts each observation also in a native histogram. Only the protobuf form shows it.
    pub fn and_native(self) -> Self {
        Self { native: true, ..self }
    }

    /// Whether each bound is a number, and above the one before it.
    pub(crate) fn grow(&self) -> bool {
        self.bounds.iter().all(|bound| bound.is_finite()) && self.bounds.windows(2).all(|pair| pair[0] < pair[1])
    }
}

impl<B: Into<Arc<[f64]>>> From<B> for Buckets {
    fn from(bounds: B) -> Self {
        Self { bounds: bounds.into(), native: false }
    }
}

/// Observations of one series. A clone observes for the same series.
#[derive(Clone, Debug)]
pub struct Histogram(Arc<Inner>);

/// Histograms with labels.
pub type HistogramVec = MetricVec<Histogram>;

#[derive(Debug)]
struct Inner {
    bounds: Arc<[f64]>,
    /// One lock for all of it: a scrape then never sees a bucket without its sum.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    counts: Box<[u64]>,
    sum: f64,
    exemplars: Vec<Option<Exemplar>>,
    native: Option<Native>,
}

impl Histogram {
    /// Counts an observation.
    pub fn observe(&self, value: f64) {
        self.observe_with_exemplar(value, None);
    }

    /// Counts an observation, and keeps the trace that it belongs to as its bucket's last.
    pub fn observe_with_exemplar(&self, value: f64, trace_id: Option<TraceId>) {
        let exemplar = trace_id.map(|trace_id| Exemplar { trace_id, value, at: now() });
        let bounds = &self.0.bounds;
        // NaN is in no bucket but the last.
        let bucket = if value.is_nan() { bounds.len() } else { bounds.partition_point(|bound| *bound < value) };
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.counts[bucket] += 1;
        state.sum += value;
        if let Some(native) = &mut state.native {
            native.observe(value);
        }
        if exemplar.is_some() {
            if state.exemplars.is_empty() {
                state.exemplars = vec![None; bounds.len() + 1];
            }
            state.exemplars[bucket] = exemplar;
        }
    }

    /// What it has counted.
    pub fn get(&self) -> HistogramValue {
        let state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        HistogramValue {
            bounds: self.0.bounds.clone(),
            counts: state.counts.to_vec(),
            sum: state.sum,
            exemplars: state.exemplars.clone(),
            native: state.native.clone(),
        }
    }
}

impl Metric for Histogram {
    type Options = Buckets;
    const KIND: Kind = Kind::Histogram;
    const HAS_START: bool = true;

    fn new(buckets: &Buckets) -> Self {
        let counts = vec![0; buckets.bounds.len() + 1].into();
        let native = buckets.native.then(Native::default);
        let state = State { counts, sum: 0.0, exemplars: Vec::new(), native };
        Self(Arc::new(Inner { bounds: buckets.bounds.clone(), state: Mutex::new(state) }))
    }

    fn value(&self) -> Value {
        Value::Histogram(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_observation_is_in_the_first_bucket_that_is_not_below_it() {
        let histogram = Histogram::new(&[1.0, 2.0].into());
        for value in [0.0, 1.0, 1.5, 2.0, 2.1, f64::NAN, -1.0] {
            histogram.observe(value);
        }
        let counts: Vec<_> = histogram.get().cumulative().map(|(bound, count, _)| (bound, count)).collect();
        assert_eq!(counts, [(1.0, 3), (2.0, 5), (f64::INFINITY, 7)]);
        assert_eq!(histogram.get().count(), 7);
    }

    #[test]
    fn each_bucket_keeps_its_last_exemplar() {
        let histogram = Histogram::new(&[1.0].into());
        let [first, second, slow] = [TraceId::new(), TraceId::new(), TraceId::new()];
        for (value, trace) in [(0.1, first), (0.2, second), (9.0, slow)] {
            histogram.observe_with_exemplar(value, Some(trace));
        }
        histogram.observe(0.3);
        let value = histogram.get();
        let kept = value.cumulative().map(|(.., exemplar)| exemplar.map(|e| (e.trace_id, e.value)));
        assert_eq!(kept.collect::<Vec<_>>(), [Some((second, 0.2)), Some((slow, 9.0))]);
    }
}
