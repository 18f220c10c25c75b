//! The metrics of go-micro's middleware, for who brings its dashboards along: requests under the names that it gives them.
//!
//! Its `method` is the name of an endpoint; here that is method and route, like `GET /events/{id}`. Its `status` is *failure* where the handler
//! returned an error: here every answer from 400 on.
//! Source: the package `wrapper/monitoring/prometheus` of go-micro's plugins.

use std::collections::BTreeSet;

use actix_web::http::StatusCode;
use metrics::{CounterVec, HistogramVec, Registry, SummaryVec};

use crate::http_metrics::{LATENCIES, SECONDS, UNMATCHED};

pub(crate) struct MicroMetrics {
    requests: CounterVec,
    latency: SummaryVec,
    seconds: HistogramVec,
}

impl MicroMetrics {
    /// Registers them, with every method and route that is `documented` at zero.
    pub(crate) fn new(registry: &Registry, documented: &BTreeSet<(String, String)>) -> metrics::Result<Self> {
        let metrics = Self {
            requests: registry.counter_vec(
                "micro_request_total",
                "Requests answered, by method with route, and success or failure.",
                &["method", "status"],
            )?,
            latency: registry.summary_vec(
                "micro_upstream_latency_microseconds",
                "Time to the answer as quantiles over the last ten minutes, in microseconds, by method with route.",
                &["method"],
                LATENCIES,
            )?,
            seconds: registry.histogram_vec(
                "micro_request_duration_seconds",
                "Time to the answer, by method with route.",
                &["method"],
                SECONDS,
            )?,
        };
        for (method, route) in documented {
            let name = name(method, route);
            for status in ["success", "failure"] {
                metrics.requests.with_label_values(&[name.as_str(), status]);
            }
            metrics.seconds.with_label_values(&[name]);
        }
        Ok(metrics)
    }

    /// Counts an answer.
    pub(crate) fn answered(&self, method: &str, route: &str, status: StatusCode, seconds: f64) {
        let name = name(method, route);
        let failed = status.is_client_error() || status.is_server_error();
        self.requests.with_label_values(&[name.as_str(), if failed { "failure" } else { "success" }]).inc();
        self.latency.with_label_values(&[&name]).observe(seconds * 1e6);
        self.seconds.with_label_values(&[&name]).observe(seconds);
    }
}

fn name(method: &str, route: &str) -> String {
    if route == UNMATCHED { route.to_owned() } else { format!("{method} {route}") }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use crate::http_metrics::HttpMetrics;

    use super::*;

    #[test]
    fn requests_are_counted_under_both_names_and_only_where_that_is_asked_for() {
        let documented = ["200", "404"].map(|status| ["GET", "/events/{id}", status].map(str::to_owned).into());
        for micro in [false, true] {
            let registry = Registry::new();
            let metrics = HttpMetrics::new(&registry, &documented, micro).unwrap();
            for (method, route, status) in
                [("GET", "/events/{id}", 200), ("GET", "/events/{id}", 404), ("PUT", "/x", 404)]
            {
                let status = StatusCode::from_u16(status).unwrap();
                metrics.answered(method, route, status, Duration::from_millis(2), None);
            }
            assert_eq!(registry.value("myevents_upstream_latency_microseconds"), Some(3.0));
            let text = metrics::answer(&registry.gather(), "", "", false).body;
            let text = String::from_utf8(text).unwrap();
            let lines = [
                "micro_request_total{method=\"GET /events/{id}\",status=\"failure\"} 1\n",
                "micro_request_total{method=\"GET /events/{id}\",status=\"success\"} 1\n",
                "micro_request_total{method=\"unmatched\",status=\"failure\"} 1\n",
                "micro_request_duration_seconds_count{method=\"GET /events/{id}\"} 2\n",
                "micro_upstream_latency_microseconds{method=\"unmatched\",quantile=\"0.9\"} 2",
            ];
            for line in lines {
                assert_eq!(text.contains(line), micro, "{line}{text}");
            }
        }
    }
}
