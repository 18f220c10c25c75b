//! A metric with labels: its series, each made when it is first used.

use std::{
    fmt,
    sync::{Arc, PoisonError, RwLock},
    time::Duration,
};

use crate::{
    collector::{Collector, Result, check},
    model::{Description, Family, Kind, Series, Value},
    start::{Start, now},
};

/// The type of a metric's series.
pub trait Metric: Clone + fmt::Debug + Send + Sync + 'static {
    /// What every series of a metric has in common, for example the bounds of the buckets.
    type Options: fmt::Debug + Send + Sync;
    /// Which type it is.
    const KIND: Kind;
    /// Whether it says since when it counts.
    const HAS_START: bool;

    /// A new series.
    fn new(options: &Self::Options) -> Self;

    /// What it shows now.
    fn value(&self) -> Value;
}

/// A metric with labels.
pub struct MetricVec<M: Metric>(Arc<Inner<M>>);

#[derive(Debug)]
struct Inner<M: Metric> {
    description: Arc<Description>,
    options: M::Options,
    /// Labels are shown by name; this says where each of them stands in a call.
    order: Vec<usize>,
    /// In the order of their label values.
    series: RwLock<Vec<Child<M>>>,
}

#[derive(Debug)]
struct Child<M> {
    labels: Arc<[String]>,
    metric: M,
    start: Start,
}

impl<M: Metric> MetricVec<M> {
    pub(crate) fn new(name: &str, help: &str, labels: &[&str], options: M::Options) -> Result<Self> {
        let mut order: Vec<_> = (0..labels.len()).collect();
        order.sort_by_key(|at| labels[*at]);
        let labels = order.iter().map(|at| labels[*at].to_owned()).collect();
        let description = Description { name: name.into(), help: help.into(), kind: M::KIND, labels };
        check(&description)?;
        Ok(Self(Arc::new(Inner { description: Arc::new(description), options, order, series: RwLock::default() })))
    }

    /// The series with these label values, in the order in which the labels were registered; a new one begins at zero.
    ///
    /// # Panics
    ///
    /// If there are not as many values as names, which is a bug.
    pub fn with_label_values<S: AsRef<str>>(&self, values: &[S]) -> M {
        let Inner { description, options, order, series } = &*self.0;
        assert_eq!(
            values.len(),
            description.labels.len(),
            "{} has the labels {:?}",
            description.name,
            description.labels
        );
        let place = |series: &[Child<M>]| {
            let values = || order.iter().map(|at| values[*at].as_ref());
            series.binary_search_by(|child| child.labels.iter().map(String::as_str).cmp(values()))
        };
        // Nothing panics while it holds the lock but for a lack of memory, which ends the process.
        let known = series.read().unwrap_or_else(PoisonError::into_inner);
        if let Ok(at) = place(&known) {
            return known[at].metric.clone();
        }
        drop(known);
        let mut known = series.write().unwrap_or_else(PoisonError::into_inner);
        match place(&known) {
            Ok(at) => known[at].metric.clone(), // another thread was faster
            Err(at) => {
                let labels = order.iter().map(|at| values[*at].as_ref().to_owned()).collect();
                let metric = M::new(options);
                known.insert(at, Child { labels, metric: metric.clone(), start: Start::at(now()) });
                metric
            }
        }
    }
}

impl<M: Metric> Collector for MetricVec<M> {
    fn descriptions(&self) -> Vec<Arc<Description>> {
        vec![self.0.description.clone()]
    }

    fn collect(&self, scrape: Duration) -> Vec<Family> {
        let series = self.0.series.read().unwrap_or_else(PoisonError::into_inner);
        let shown = |child: &Child<M>| Series {
            labels: child.labels.clone(),
            value: child.metric.value(),
            start: M::HAS_START.then(|| child.start.shown(scrape)),
        };
        vec![Family { description: self.0.description.clone(), series: series.iter().map(shown).collect() }]
    }
}

impl<M: Metric> Clone for MetricVec<M> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<M: Metric> fmt::Debug for MetricVec<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use crate::Registry;

    #[test]
    fn labels_are_shown_by_name_whatever_their_order_in_a_call_is() {
        let registry = Registry::new();
        let calls = registry.counter_vec("calls_total", "Calls.", &["queue", "message"]).unwrap();
        calls.with_label_values(&["q", "m"]).inc();
        calls.with_label_values(&["q", "m"]).inc();
        calls.with_label_values(&["a", "z"]).inc();
        let text = String::from_utf8(crate::answer(&registry.gather(), "", "", false).body).unwrap();
        let lines: Vec<_> = text.lines().skip(2).collect();
        let right = ["calls_total{message=\"m\",queue=\"q\"} 2", "calls_total{message=\"z\",queue=\"a\"} 1"];
        assert_eq!(lines, right);
    }
}
