//! One metrics registry per service. It is passed in and not global, so two services in one process do not share counters.
//!
//! - [`usage`]: which build this is; what the process uses (`proc.rs`)
//! - [`runtime`]: the tokio runtimes, and how late they run

#[cfg(target_os = "linux")]
mod proc;
pub mod runtime;
pub mod usage;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use prometheus::{Registry, TextEncoder};

/// The content type of a scrape. Prometheus 3 refuses a type that it does not know.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The longest that a scrape waits for one refresh; then it shows the last known value.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// Updates gauges whose value must be asked for. Runs before each scrape.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A service's registry, and what must run before it is read.
#[derive(Clone, Default)]
pub struct Metrics {
    /// The parts of a service register their metrics here.
    pub registry: Registry,
    refreshes: Vec<Refresh>,
}

impl Metrics {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a refresh.
    pub fn before_scrape(&mut self, refresh: Refresh) {
        self.refreshes.push(refresh);
    }

    /// Encodes all metrics in the text format.
    pub async fn encode(&self) -> prometheus::Result<String> {
        for refresh in &self.refreshes {
            if tokio::time::timeout(REFRESH_TIMEOUT, refresh()).await.is_err() {
                tracing::debug!("a gauge could not be read in time for this scrape");
            }
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
