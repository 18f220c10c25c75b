//! What a registry asks at each scrape, and what it refuses at the start.

use std::{fmt, sync::Arc, time::Duration};

use crate::model::{Description, Family, Kind};

/// Why a metric is not registered: a bug, found at the first start.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum Error {
    /// Prometheus would refuse the scrape.
    #[error("{0:?} is no name for a metric: letters, digits, _ and :, not a digit first")]
    Name(String),
    /// Prometheus would refuse the scrape.
    #[error(
        "{metric} cannot have the label {label:?}: letters, digits and _, not a digit or __ first, no name twice, no le or quantile"
    )]
    Label {
        /// The metric.
        metric: String,
        /// What is no label.
        label: String,
    },
    /// The bounds of a histogram's buckets do not grow.
    #[error("the buckets of {0} do not grow")]
    Buckets(String),
    /// Two metrics would show the same series.
    #[error("{0} is registered twice, or collides with a part of another metric")]
    Twice(String),
}

/// What registering gives.
pub type Result<T> = std::result::Result<T, Error>;

/// What is asked at each scrape.
pub trait Collector: fmt::Debug + Send + Sync {
    /// What it may show.
    fn descriptions(&self) -> Vec<Arc<Description>>;

    /// What it shows now. `scrape` is the time of the scrape, since 1970.
    fn collect(&self, scrape: Duration) -> Vec<Family>;
}

/// The names that a metric and its samples have, in any form. In OpenMetrics a counter's own name is without `_total`.
pub(crate) fn samples(description: &Description) -> Vec<String> {
    let Description { name, kind, .. } = description;
    let (name, suffixes): (_, &[&str]) = match (kind, name.strip_suffix("_total")) {
        (Kind::Counter, Some(name)) => (name, &["", "_total", "_created"]),
        (Kind::Counter | Kind::Gauge, _) => (name.as_str(), &[""]),
        (Kind::Histogram, _) => (name.as_str(), &["", "_bucket", "_sum", "_count", "_created"]),
        (Kind::Summary, _) => (name.as_str(), &["", "_sum", "_count", "_created"]),
    };
    suffixes.iter().map(|suffix| format!("{name}{suffix}")).collect()
}

/// Whether Prometheus would read it.
pub(crate) fn check(description: &Description) -> Result<()> {
    let Description { name, labels, .. } = description;
    if !is_name(name, true) {
        return Err(Error::Name(name.clone()));
    }
    for (at, label) in labels.iter().enumerate() {
        let reserved = label.starts_with("__") || label == "le" || label == "quantile";
        if !is_name(label, false) || reserved || labels[..at].contains(label) {
            return Err(Error::Label { metric: name.clone(), label: label.clone() });
        }
    }
    Ok(())
}

fn is_name(text: &str, colons: bool) -> bool {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'_' || (colons && b == b':');
    text.bytes().all(fits) && text.bytes().next().is_some_and(|first| !first.is_ascii_digit())
}
