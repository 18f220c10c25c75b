//! What is counted about HTTP: rate, errors and duration of every route, sizes, and what was turned away.
//!
//! Routes are labelled by their template (`/events/{id}`), never by the path: a path has an id in it, and each id would
//! be a time series of its own.

use prometheus::{Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec, IntGauge, Opts, Registry, Result};

use crate::problem::Rejection;

/// From half a millisecond, since a booking takes about one, to the timeouts of a client.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const BYTES: [f64; 7] = [256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

/// The methods that are told apart; any other is `_OTHER`, or a client could invent label values.
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
    /// Registers them, with every route, method and status that `documented` names at zero, and 500, which no route documents and
    /// a panic answers: `rate()` sees the first request only if there was a zero before it.
    pub fn new(registry: &Registry, documented: &[(String, String, String)]) -> Result<Self> {
        let histogram = |name, help, labels: &[&str], buckets: &[f64]| {
            HistogramVec::new(HistogramOpts::new(name, help).buckets(buckets.to_vec()), labels)
        };
        let metrics = Self {
            requests: IntCounterVec::new(
                Opts::new(
                    "myevents_request_total",
                    "HTTP requests answered, by method, route template and status; without those the parser itself refuses.",
                ),
                &["method", "route", "status"],
            )?,
            seconds: histogram(
                "myevents_request_duration_seconds",
                "Time from a request's head to its answer, by method and route template.",
                &["method", "route"],
                &SECONDS,
            )?,
            in_flight: IntGauge::new("myevents_http_requests_in_flight", "HTTP requests being answered just now.")?,
            request_bytes: histogram(
                "myevents_http_request_size_bytes",
                "Size of request bodies that were read, by method.",
                &["method"],
                &BYTES,
            )?,
            response_bytes: histogram(
                "myevents_http_response_size_bytes",
                "Size of response bodies, by method.",
                &["method"],
                &BYTES,
            )?,
            rejected: IntCounterVec::new(
                Opts::new(
                    "myevents_http_rejected_total",
                    "HTTP requests turned away before they were handled, by reason.",
                ),
                &["reason"],
            )?,
            panics: IntCounter::new("myevents_http_panics_total", "Handlers that panicked; each is a bug.")?,
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
        registry.register(Box::new(metrics.requests.clone()))?;
        registry.register(Box::new(metrics.seconds.clone()))?;
        registry.register(Box::new(metrics.in_flight.clone()))?;
        registry.register(Box::new(metrics.request_bytes.clone()))?;
        registry.register(Box::new(metrics.response_bytes.clone()))?;
        registry.register(Box::new(metrics.rejected.clone()))?;
        registry.register(Box::new(metrics.panics.clone()))?;
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
    let histogram: Histogram = histogram.with_label_values(&[method]);
    histogram.observe(bytes as f64);
}
