//! The HTTP metrics: rate, errors and duration of every route, the sizes of bodies, and the requests that were refused early.
//!
//! The label of a route is its template (`/things/{id}`), never the path: each id would make a time series of its own.

use prometheus::{
    HistogramVec, IntCounter, IntCounterVec, IntGauge, Registry, Result, register_histogram_vec_with_registry,
    register_int_counter_vec_with_registry, register_int_counter_with_registry, register_int_gauge_with_registry,
};

use crate::problem::Rejection;

/// From half a millisecond, since a write takes about one, to the time that a client waits.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const BYTES: [f64; 7] = [256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

/// The methods that are label values. Any other is `_OTHER`, since a client could invent methods.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];

/// The status of an answer whose handler panicked.
const PANICKED: &str = "500";

/// The HTTP metrics of one service.
pub struct HttpMetrics {
    pub(crate) requests: IntCounterVec,
    pub(crate) seconds: HistogramVec,
    pub(crate) in_flight: IntGauge,
    pub(crate) request_bytes: HistogramVec,
    pub(crate) response_bytes: HistogramVec,
    rejected: IntCounterVec,
    pub(crate) panics: IntCounter,
}

impl HttpMetrics {
    /// Registers the metrics. Every route, method and status that `documented` names begins at zero, since `rate()` counts the first
    /// request only if there was a zero before it. So does 500, the answer of a panic, which no route documents.
    pub fn new(registry: &Registry, documented: &[(String, String, String)]) -> Result<Self> {
        let metrics = Self {
            requests: register_int_counter_vec_with_registry!(
                "myevents_request_total",
                "HTTP requests answered, by method, route template and status; without those the parser itself refuses.",
                &["method", "route", "status"],
                registry,
            )?,
            seconds: register_histogram_vec_with_registry!(
                "myevents_request_duration_seconds",
                "Time from a request's head to its answer, by method and route template.",
                &["method", "route"],
                SECONDS.to_vec(),
                registry,
            )?,
            in_flight: register_int_gauge_with_registry!(
                "myevents_http_requests_in_flight",
                "HTTP requests being answered just now.",
                registry,
            )?,
            request_bytes: register_histogram_vec_with_registry!(
                "myevents_http_request_size_bytes",
                "Size of request bodies that were read, by method.",
                &["method"],
                BYTES.to_vec(),
                registry,
            )?,
            response_bytes: register_histogram_vec_with_registry!(
                "myevents_http_response_size_bytes",
                "Size of response bodies, by method.",
                &["method"],
                BYTES.to_vec(),
                registry,
            )?,
            rejected: register_int_counter_vec_with_registry!(
                "myevents_http_rejected_total",
                "HTTP requests turned away before they were handled, by reason.",
                &["reason"],
                registry,
            )?,
            panics: register_int_counter_with_registry!(
                "myevents_http_panics_total",
                "Handlers that panicked; each is a bug.",
                registry,
            )?,
        };
        for reason in Rejection::ALL {
            metrics.rejected.with_label_values(&[reason.label()]);
        }
        for (method, route, status) in documented {
            for status in [status.as_str(), PANICKED] {
                metrics.requests.with_label_values(&[method.as_str(), route, status]);
            }
            metrics.seconds.with_label_values(&[method.as_str(), route]);
            metrics.request_bytes.with_label_values(&[method.as_str()]);
            metrics.response_bytes.with_label_values(&[method.as_str()]);
        }
        Ok(metrics)
    }

    pub(crate) fn rejected(&self, rejection: Rejection) {
        self.rejected.with_label_values(&[rejection.label()]).inc();
    }
}

/// The label for a method.
pub(crate) fn method_label(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or("_OTHER")
}

/// Measures the body of a request or an answer.
pub(crate) fn observe_size(histogram: &HistogramVec, method: &'static str, bytes: usize) {
    histogram.with_label_values(&[method]).observe(bytes as f64);
}
