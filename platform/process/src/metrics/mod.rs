//! One registry per service, passed in; nothing global, so two services in one process do not share counters.
//!
//! - [`usage`]: CPU, memory, descriptors, threads, from /proc
//! - [`runtime`]: the tokio runtimes, and how late they run
//! - [`build`]: which build this is

pub mod build;
pub mod runtime;
pub mod usage;

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use prometheus::{Registry, TextEncoder};

/// Prometheus 3 refuses a scrape whose type it does not know, so this is exact.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// A scrape never waits longer than this for a store; it then shows what was last known.
const REFRESH_TIMEOUT: Duration = Duration::from_secs(1);

/// Sets gauges whose value must be asked for; runs before each scrape.
pub type Refresh = Arc<dyn Fn() -> BoxFuture<'static, ()> + Send + Sync>;

/// A service's registry with what must run before it is read.
#[derive(Clone, Default)]
pub struct Metrics {
    /// Where the parts register their metrics.
    pub registry: Registry,
    refreshes: Vec<Refresh>,
}

impl Metrics {
    /// An empty registry.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds something to be asked before each scrape.
    pub fn before_scrape(&mut self, refresh: Refresh) {
        self.refreshes.push(refresh);
    }

    /// The text format.
    pub async fn encode(&self) -> prometheus::Result<String> {
        for refresh in &self.refreshes {
            if tokio::time::timeout(REFRESH_TIMEOUT, refresh()).await.is_err() {
                tracing::debug!("a gauge could not be read in time for this scrape");
            }
        }
        TextEncoder::new().encode_to_string(&self.registry.gather())
    }
}
