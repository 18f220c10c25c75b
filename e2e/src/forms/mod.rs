//! What each of the three forms of a scrape says, in one shape, so that they can be compared.
//!
//! None of it shares code with the services: the text form is read by [`exposition`], OpenMetrics by the
//! strict parser of Python's `prometheus_client` ([`open_metrics`]), and protobuf byte by byte ([`protobuf`]).

pub mod open_metrics;
pub mod protobuf;

use std::collections::{BTreeMap, BTreeSet};

use crate::exposition;

/// What to ask for in `Accept`.
pub const OPEN_METRICS: &str = "application/openmetrics-text;version=1.0.0";
/// See [`OPEN_METRICS`].
pub const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// A sample's name with its labels. Of bounds and quantiles only the number counts: `1` and `1.0` are the same.
pub type Series = (String, BTreeMap<String, String>);

/// What a form says.
#[derive(Debug, Default, PartialEq)]
pub struct Said {
    /// The type of each family.
    pub kinds: BTreeMap<String, String>,
    /// The value of each sample.
    pub samples: BTreeMap<Series, f64>,
    /// Since when each series counts, as a time since 1970: by the family's name.
    pub starts: BTreeMap<Series, f64>,
    /// Each sample's exemplar: what was observed, and its trace.
    pub exemplars: BTreeMap<Series, (f64, String)>,
    /// Of a histogram that is also a native one, how many observations those buckets have; and how fine they are.
    pub native: BTreeMap<Series, (f64, i64)>,
}

impl Said {
    /// Adds a sample. A series that is there twice is a failure.
    pub fn add(&mut self, name: &str, labels: BTreeMap<String, String>, value: f64) {
        let series = series(name, labels);
        assert!(self.samples.insert(series.clone(), value).is_none(), "{series:?} is there twice");
    }

    /// The names of all samples.
    pub fn names(&self) -> BTreeSet<&str> {
        self.samples.keys().map(|(name, _)| name.as_str()).collect()
    }

    /// The samples of a metric.
    pub fn of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = (&'s Series, f64)> {
        self.samples.iter().filter(move |((found, _), _)| found == name).map(|(series, value)| (series, *value))
    }

    /// All values of labels.
    pub fn label_values(&self) -> impl Iterator<Item = &str> {
        self.samples.keys().flat_map(|(_, labels)| labels.values()).map(String::as_str)
    }
}

/// A series, with its bound written as any form would.
pub fn series(name: &str, mut labels: BTreeMap<String, String>) -> Series {
    for (name, value) in &mut labels {
        if ["le", "quantile"].contains(&name.as_str()) {
            let number: f64 = value.parse().unwrap_or_else(|_| panic!("{name}={value:?} is no number"));
            *value = number.to_string();
        }
    }
    (name.to_owned(), labels)
}

/// What the text form says.
pub fn text(text: &str) -> Said {
    let read = exposition::read(text).unwrap_or_else(|cause| panic!("no text format: {cause}"));
    let mut said = Said::default();
    for (name, family) in read.families {
        said.kinds.insert(name, family.kind);
        family.samples.into_iter().for_each(|sample| said.add(&sample.name, sample.labels, sample.value));
    }
    said
}
