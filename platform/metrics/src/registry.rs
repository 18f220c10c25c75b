//! Registers metrics, and collects them for a scrape.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::{
    asked::Asked,
    collector::{Collector, Error, Result, samples},
    counter::{Counter, CounterVec},
    family::{Metric, MetricVec},
    gauge::{Gauge, GaugeVec},
    histogram::{Buckets, Histogram, HistogramVec},
    model::{Description, Family, Value},
    start::now,
    summary::{SummaryVec, Window},
};

/// The metrics of one program, or of one of several in a process. A clone is the same registry.
#[derive(Clone, Debug, Default)]
pub struct Registry(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    collectors: Vec<Arc<dyn Collector>>,
    /// The names of all samples, a histogram's three too.
    names: BTreeSet<String>,
}

impl Registry {
    /// An empty one.
    pub fn new() -> Self {
        Self::default()
    }

    /// A counter without labels.
    pub fn counter(&self, name: &str, help: &str) -> Result<Counter> {
        Ok(alone(&self.counter_vec(name, help, &[])?))
    }

    /// A counter with labels.
    pub fn counter_vec(&self, name: &str, help: &str, labels: &[&str]) -> Result<CounterVec> {
        self.registered(CounterVec::new(name, help, labels, ()))
    }

    /// A gauge without labels.
    pub fn gauge(&self, name: &str, help: &str) -> Result<Gauge> {
        Ok(alone(&self.gauge_vec(name, help, &[])?))
    }

    /// A gauge with labels.
    pub fn gauge_vec(&self, name: &str, help: &str, labels: &[&str]) -> Result<GaugeVec> {
        self.registered(GaugeVec::new(name, help, labels, ()))
    }

    /// A gauge without labels whose value is asked for at each scrape; it is left out where that is unknown.
    pub fn gauge_of(
        &self,
        name: &str,
        help: &str,
        ask: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Result<()> {
        self.register(Arc::new(Asked::new(name, help, None, ask)?))
    }

    /// A counter of the same kind, which counts since `start`, a time since 1970.
    pub fn counter_of(
        &self,
        name: &str,
        help: &str,
        start: Duration,
        ask: impl Fn() -> Option<f64> + Send + Sync + 'static,
    ) -> Result<()> {
        self.register(Arc::new(Asked::new(name, help, Some(start), ask)?))
    }

    /// A histogram without labels.
    pub fn histogram(&self, name: &str, help: &str, buckets: impl Into<Buckets>) -> Result<Histogram> {
        Ok(alone(&self.histogram_vec(name, help, &[], buckets)?))
    }

    /// A histogram with labels.
    pub fn histogram_vec(
        &self,
        name: &str,
        help: &str,
        labels: &[&str],
        buckets: impl Into<Buckets>,
    ) -> Result<HistogramVec> {
        let buckets = buckets.into();
        if !buckets.grow() {
            return Err(Error::Buckets(name.into()));
        }
        self.registered(HistogramVec::new(name, help, labels, buckets))
    }

    /// A summary with labels.
    pub fn summary_vec(&self, name: &str, help: &str, labels: &[&str], window: Window) -> Result<SummaryVec> {
        self.registered(SummaryVec::new(name, help, labels, window))
    }

    fn registered<M: Metric>(&self, metric: Result<MetricVec<M>>) -> Result<MetricVec<M>> {
        let metric = metric?;
        self.register(Arc::new(metric.clone()))?;
        Ok(metric)
    }

    /// Adds what collects by itself, or another registry, whose metrics are shown here from now on.
    pub fn register(&self, collector: Arc<dyn Collector>) -> Result<()> {
        let descriptions = collector.descriptions(); // before the lock, since this may be a registry
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut names = BTreeSet::new();
        for description in descriptions {
            for sample in samples(&description) {
                if inner.names.contains(&sample) || !names.insert(sample) {
                    return Err(Error::Twice(description.name.clone()));
                }
            }
        }
        inner.names.append(&mut names);
        inner.collectors.push(collector);
        Ok(())
    }

    /// The value of a metric, of all its series together; of a histogram or summary its count. `None` where there is no series. For tests.
    pub fn value(&self, name: &str) -> Option<f64> {
        let families = self.gather();
        let family = families.iter().find(|family| family.description.name == name)?;
        let values = family.series.iter().map(|series| match &series.value {
            Value::Counter(value) | Value::Gauge(value) => *value,
            Value::Histogram(histogram) => histogram.count() as f64,
            Value::Summary(summary) => summary.count as f64,
        });
        Some(values.sum())
    }

    /// What all show now, by name; those without a series are left out.
    pub fn gather(&self) -> Vec<Family> {
        self.gather_at(now())
    }

    /// The same for a scrape that began a moment ago, at `scrape` since 1970, if something was done for it before.
    pub fn gather_at(&self, scrape: Duration) -> Vec<Family> {
        let mut families = self.collect(scrape);
        families.retain(|family| !family.series.is_empty());
        families.sort_by(|a, b| a.description.name.cmp(&b.description.name));
        families
    }
}

impl Collector for Registry {
    fn descriptions(&self) -> Vec<Arc<Description>> {
        let collectors = self.0.lock().unwrap_or_else(PoisonError::into_inner).collectors.clone();
        collectors.iter().flat_map(|collector| collector.descriptions()).collect()
    }

    fn collect(&self, scrape: Duration) -> Vec<Family> {
        let collectors = self.0.lock().unwrap_or_else(PoisonError::into_inner).collectors.clone();
        collectors.iter().flat_map(|collector| collector.collect(scrape)).collect()
    }
}

/// The only series of a metric without labels, there from the start.
fn alone<M: Metric>(metric: &MetricVec<M>) -> M {
    metric.with_label_values::<&str>(&[])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_prometheus_would_refuse_is_refused_at_the_start() {
        let registry = Registry::new();
        registry.histogram("a_seconds", "A.", [0.5, 1.0]).unwrap();
        let twice = |name: &str| Error::Twice(name.to_owned());
        assert_eq!(registry.counter("a_seconds_count", "B.").unwrap_err(), twice("a_seconds_count"));
        assert_eq!(registry.gauge("a_seconds", "B.").unwrap_err(), twice("a_seconds"));
        registry.counter("d_total", "D.").unwrap();
        assert_eq!(registry.gauge("d", "B.").unwrap_err(), twice("d"));
        assert_eq!(registry.gauge("d_created", "B.").unwrap_err(), twice("d_created"));
        assert_eq!(registry.counter("1a", "B.").unwrap_err(), Error::Name("1a".into()));
        assert_eq!(registry.counter("", "B.").unwrap_err(), Error::Name(String::new()));
        for labels in [&["le"][..], &["x-y"], &["x", "x"], &["__x"], &[""], &["票"]] {
            let error = registry.counter_vec("b_total", "B.", labels).unwrap_err();
            assert!(matches!(error, Error::Label { .. }), "{labels:?}: {error}");
        }
        for buckets in [vec![1.0, 1.0], vec![2.0, 1.0], vec![f64::NAN], vec![f64::INFINITY]] {
            assert_eq!(registry.histogram("c", "C.", buckets).unwrap_err(), Error::Buckets("c".into()));
        }
    }

    #[test]
    fn a_registry_in_another_shows_its_metrics_there() {
        let (all, part) = (Registry::new(), Registry::new());
        part.counter("part_total", "P.").unwrap().inc();
        all.register(Arc::new(part.clone())).unwrap();
        assert_eq!(all.gather()[0].description.name, "part_total");
        assert_eq!(all.counter("part_total", "P.").unwrap_err(), Error::Twice("part_total".into()));
    }
}
