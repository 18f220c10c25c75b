//! A metric without labels whose value is asked for at each scrape.

use std::{fmt, sync::Arc, time::Duration};

use crate::{
    collector::{Collector, Result, check},
    model::{Description, Family, Kind, Series, Value},
    start::Start,
};

/// Asks for a value.
pub(crate) struct Asked<F> {
    description: Arc<Description>,
    /// Since when it counts, if it is a counter.
    start: Option<Start>,
    ask: F,
}

impl<F: Fn() -> Option<f64> + Send + Sync> Asked<F> {
    pub(crate) fn new(name: &str, help: &str, start: Option<Duration>, ask: F) -> Result<Self> {
        let kind = if start.is_some() { Kind::Counter } else { Kind::Gauge };
        let description = Description { name: name.into(), help: help.into(), kind, labels: Vec::new() };
        check(&description)?;
        Ok(Self { description: description.into(), start: start.map(Start::at), ask })
    }
}

impl<F: Fn() -> Option<f64> + Send + Sync> Collector for Asked<F> {
    fn descriptions(&self) -> Vec<Arc<Description>> {
        vec![self.description.clone()]
    }

    fn collect(&self, scrape: Duration) -> Vec<Family> {
        let Some(value) = (self.ask)() else { return Vec::new() };
        let value = if self.start.is_some() { Value::Counter(value) } else { Value::Gauge(value) };
        let series =
            Series { labels: Arc::new([]), value, start: self.start.as_ref().map(|start| start.shown(scrape)) };
        vec![Family { description: self.description.clone(), series: vec![series] }]
    }
}

impl<F> fmt::Debug for Asked<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.description.fmt(f)
    }
}
