//! The metrics of go-micro's middleware, for who brings its dashboards along: requests under the names that it gives them.
//!
//! Its `method` is the name of an endpoint; here that is method and route, like `GET /events/{id}`. Its `status` is *failure* where the handler
//! returned an error: here every answer from 400 on.
//! Source: the package `wrapper/monitoring/prometheus` of go-micro's plugins.

use actix_web::http::StatusCode;
use metrics::{CounterVec, HistogramVec, Registry, SummaryVec, Window};

pub(crate) struct MicroMetrics {
    requests: CounterVec,
    latency: SummaryVec,
    seconds: HistogramVec,
}

impl MicroMetrics {
    /// Registers them, with the window and the buckets of their namesakes here.
    pub(crate) fn new(registry: &Registry, window: Window, buckets: &[f64]) -> metrics::Result<Self> {
        Ok(Self {
            requests: registry.counter_vec(
                "micro_request_total",
                "Requests answered, by method with route, and success or failure.",
                &["method", "status"],
            )?,
            latency: registry.summary_vec(
                "micro_upstream_latency_microseconds",
                "Time to the answer as quantiles over the last ten minutes, in microseconds, by method with route.",
                &["method"],
                window,
            )?,
            seconds: registry.histogram_vec(
                "micro_request_duration_seconds",
                "Time to the answer, by method with route.",
                &["method"],
                buckets,
            )?,
        })
    }

    /// An endpoint begins at zero.
    pub(crate) fn begin(&self, endpoint: &str) {
        for status in ["success", "failure"] {
            self.requests.with_label_values(&[endpoint, status]);
        }
        self.seconds.with_label_values(&[endpoint]);
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, endpoint: &str, status: StatusCode, seconds: f64) {
        let failed = status.is_client_error() || status.is_server_error();
        self.requests.with_label_values(&[endpoint, if failed { "failure" } else { "success" }]).inc();
        self.latency.with_label_values(&[endpoint]).observe(seconds * 1e6);
        self.seconds.with_label_values(&[endpoint]).observe(seconds);
    }
}
