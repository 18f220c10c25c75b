//! The metrics of the calls, and the calls, which only wait.

use std::f64::consts::TAU;
use std::time::{Duration, Instant};

use metrics::{Buckets, Histogram, Registry, Summary, Window};
use tokio::time::sleep;
use trace::TraceId;

use crate::options::Config;

pub(crate) struct RpcMetrics {
    /// Of the services uniform, normal and exponential.
    durations: [Summary; 3],
    histogram: Histogram,
}

impl RpcMetrics {
    /// Registers the metrics. Their series are made here, not at the first call: until then one could not tell "no call" from "no metric".
    pub(crate) fn new(registry: &Registry, config: &Config) -> metrics::Result<Self> {
        // To a nanosecond: most calls of exponential take less than a thousand of them.
        let window = Window { resolution: 1e-9, highest: 100.0 };
        let durations =
            registry.summary_vec("rpc_durations_seconds", "How long calls took, by service.", &["service"], window)?;
        let durations = ["uniform", "normal", "exponential"].map(|service| durations.with_label_values(&[service]));
        // 20 buckets around the mean, each half a standard deviation wide. A bound below zero would count nothing: they begin above it.
        let width = 0.5 * config.normal_domain;
        let first = (config.normal_mean - 5.0 * config.normal_domain).max(width);
        let histogram = registry.histogram(
            "rpc_durations_histogram_seconds",
            "How long calls of normal took.",
            Buckets::linear(first, width, 20).and_native(),
        )?;
        Ok(Self { durations, histogram })
    }

    /// Calls all three services until it is dropped.
    pub(crate) async fn call_for_ever(&self, config: &Config) {
        let [to_uniform, to_normal, to_exponential] = &self.durations;
        let period = config.oscillation_period;
        tokio::join!(
            repeat(100, period, || to_uniform.observe(fastrand::f64() * config.uniform_domain)),
            repeat(75, period, || {
                let duration = normal(config.normal_mean, config.normal_domain);
                to_normal.observe(duration);
                // An exemplar leads from a bucket to one call in it. A real program has the trace id from the request in hand.
                self.histogram.observe_with_exemplar(duration, Some(TraceId::new()));
            }),
            repeat(50, period, || to_exponential.observe(exponential(1e-6))),
        );
    }
}

/// Calls for ever. The pauses become longer and shorter, so that a graph of the rate has something to show.
async fn repeat(pause_millis: u64, period: Duration, call: impl Fn()) {
    let start = Instant::now();
    loop {
        call();
        let turn = TAU * start.elapsed().div_duration_f64(period);
        sleep(Duration::from_millis(pause_millis).mul_f64(2.0 + turn.sin().sin())).await;
    }
}

/// A duration around `mean`, by Box and Muller. A negative one is drawn again: no call ends before it began, and `_sum` would go down, which
/// Prometheus takes for a restart. The mean is not negative, so at most half of all are.
fn normal(mean: f64, deviation: f64) -> f64 {
    loop {
        let radius = (-2.0 * (1.0 - fastrand::f64()).ln()).sqrt();
        let duration = mean + deviation * radius * (TAU * fastrand::f64()).cos();
        if duration >= 0.0 {
            return duration;
        }
    }
}

/// The shorter, the likelier.
fn exponential(mean: f64) -> f64 {
    -mean * (1.0 - fastrand::f64()).ln()
}
