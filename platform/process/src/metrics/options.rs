//! What can be chosen about the metrics of a service.

use crate::checks::{Checks, option};

/// The options.
#[derive(clap::Args)]
pub struct MetricsOptions {
    /// `on` writes into OpenMetrics since when each series counts (`_created`); for a Prometheus with the feature
    /// created-timestamp-zero-ingestion that does not take protobuf, where it always stands [default: off]
    #[arg(long, env = "OPENMETRICS_CREATED")]
    openmetrics_created: Option<String>,
    /// `micro` shows requests also under the names that go-micro's middleware gives them [default: none]
    #[arg(long, env = "METRICS_ALIASES")]
    metrics_aliases: Option<String>,
}

/// What was chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// OpenMetrics says since when each series counts.
    pub created: bool,
    /// There are go-micro's names, too.
    pub micro: bool,
}

impl MetricsOptions {
    /// Checks them.
    pub fn read(&self, checks: &mut Checks) -> MetricsConfig {
        let created = option("OPENMETRICS_CREATED", &self.openmetrics_created);
        let aliases = option("METRICS_ALIASES", &self.metrics_aliases);
        MetricsConfig {
            created: checks.choice(created, &[("off", false), ("on", true)]),
            micro: checks.choice(aliases, &[("none", false), ("micro", true)]),
        }
    }
}
