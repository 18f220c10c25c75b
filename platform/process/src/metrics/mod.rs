//! One metrics registry per service. It is passed in and not global, so two services in one process do not share counters.
//!
//! - [`usage`]: which build this is; what the process uses (`proc.rs`)
//! - [`runtime`]: the tokio runtimes, and how late they run
//! - [`options`]: what can be chosen about them
//!
//! The types of metrics, and the forms in which they are read, are in the crate `metrics`.

pub mod options;
#[cfg(target_os = "linux")]
mod proc;
pub mod runtime;
pub mod usage;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use metrics::{Answer, Registry};
use options::MetricsConfig;

/// The longest that a scrape waits for one refresh; then it shows the last known value.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// Updates gauges whose value must be asked for. Runs before each scrape.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A service's registry, and what must run before it is read.
#[derive(Clone, Default)]
pub struct Metrics {
    /// The parts of a service register their metrics here.
    pub registry: Registry,
    /// What was chosen.
    pub config: MetricsConfig,
    refreshes: Vec<Refresh>,
}

impl Metrics {
    /// An empty registry.
    pub fn new(config: MetricsConfig) -> Self {
        Self { config, ..Self::default() }
    }

    /// Adds a refresh.
    pub fn before_scrape(&mut self, refresh: Refresh) {
        self.refreshes.push(refresh);
    }

    /// What all metrics show now, in the form that the headers `Accept` and `Accept-Encoding` ask for.
    pub async fn answer(&self, accept: &str, accept_encoding: &str) -> Answer {
        let began = metrics::now(); // not after what may take a second: see `start.rs` of the crate `metrics`
        for refresh in &self.refreshes {
            if tokio::time::timeout(REFRESH_TIMEOUT, refresh()).await.is_err() {
                tracing::debug!("a gauge could not be read in time for this scrape");
            }
        }
        metrics::answer(&self.registry.gather_at(began), accept, accept_encoding, self.config.created)
    }

    /// The same as text.
    pub async fn text(&self) -> String {
        String::from_utf8_lossy(&self.answer("", "").await.body).into_owned()
    }
}

#[cfg(test)]
mod tests {
    use metrics::model::Value;

    use super::*;

    #[tokio::test]
    async fn a_start_that_is_shown_first_lies_before_the_scrape_also_where_a_refresh_takes_long() {
        let mut metrics = Metrics::default();
        metrics.registry.counter("asked_total", "Asked.").unwrap();
        metrics.before_scrape(Arc::new(|| Box::pin(tokio::time::sleep(Duration::from_millis(600)))));
        let scrape = metrics::now();
        metrics.answer("", "").await;
        let shown = &metrics.registry.gather()[0].series[0];
        assert!(matches!(shown.value, Value::Counter(_)));
        let ahead = Duration::from_secs(2); // a clock may be
        assert!(shown.start.unwrap() < scrape - ahead - Duration::from_millis(400), "{:?}, {scrape:?}", shown.start);
    }
}
