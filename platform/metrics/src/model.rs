//! What was collected for one scrape: the input of all three forms.

use std::{sync::Arc, time::Duration};

use crate::{exemplar::Exemplar, native::Native};

/// What is the same for all series of a metric.
#[derive(Debug, PartialEq, Eq)]
pub struct Description {
    /// The metric's full name; of a counter with its `_total`.
    pub name: String,
    /// What it says in words.
    pub help: String,
    /// Its type.
    pub kind: Kind,
    /// The names of its labels.
    pub labels: Vec<String>,
}

/// The type of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only grows.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Observations, counted in buckets.
    Histogram,
    /// Observations, shown by their quantiles.
    Summary,
}

/// A metric with all its series.
#[derive(Clone, Debug)]
pub struct Family {
    /// Name, help, type and the names of the labels.
    pub description: Arc<Description>,
    /// Its series.
    pub series: Vec<Series>,
}

/// One series.
#[derive(Clone, Debug)]
pub struct Series {
    /// The values of the labels, in the order of their names.
    pub labels: Arc<[String]>,
    /// What it shows.
    pub value: Value,
    /// Since when it counts, as a time since 1970; `None` for what does not count.
    pub start: Option<Duration>,
}

/// What a series shows.
#[derive(Clone, Debug)]
pub enum Value {
    /// A counter's.
    Counter(f64),
    /// A gauge's.
    Gauge(f64),
    /// A histogram's.
    Histogram(HistogramValue),
    /// A summary's.
    Summary(SummaryValue),
}

/// A histogram's counts at one moment.
#[derive(Clone, Debug)]
pub struct HistogramValue {
    /// The upper bounds of the buckets, without the last one, which has none.
    pub bounds: Arc<[f64]>,
    /// How many observations each bucket has by itself, the last one (`+Inf`) too.
    pub counts: Vec<u64>,
    /// The sum of all observations.
    pub sum: f64,
    /// The last observation of each bucket that belongs to a trace; empty where there was none yet.
    pub exemplars: Vec<Option<Exemplar>>,
    /// The same observations in buckets without bounds, if the histogram has them.
    pub native: Option<Native>,
}

impl HistogramValue {
    /// How many observations there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// Each bucket's upper bound with how many observations are not above it, and its exemplar: the form of every exposition.
    pub fn cumulative(&self) -> impl Iterator<Item = (f64, u64, Option<&Exemplar>)> {
        let bounds = self.bounds.iter().copied().chain([f64::INFINITY]);
        let counts = self.counts.iter().scan(0, |sum, count| {
            *sum += count;
            Some(*sum)
        });
        let exemplars = self.exemplars.iter().map(Option::as_ref).chain(std::iter::repeat(None));
        bounds.zip(counts).zip(exemplars).map(|((bound, count), exemplar)| (bound, count, exemplar))
    }
}

/// A summary at one moment.
#[derive(Clone, Debug)]
pub struct SummaryValue {
    /// How many observations there were since the start.
    pub count: u64,
    /// Their sum.
    pub sum: f64,
    /// Quantiles (0 to 1) of the window with their values; NaN while the window is empty.
    pub quantiles: Vec<(f64, f64)>,
}
