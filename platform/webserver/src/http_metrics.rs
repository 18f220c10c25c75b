//! What is counted about the requests of one service. Read next: `micro.rs`, the same under other names.

use std::{collections::BTreeSet, time::Duration};

use actix_web::http::StatusCode;
use metrics::{Buckets, Counter, CounterVec, Gauge, HistogramVec, Registry, SummaryVec, Window};
use trace::TraceId;

use crate::{micro::MicroMetrics, problem::Rejection};

/// From half a millisecond, since a write takes about one, to the time that a client waits.
const SECONDS: [f64; 13] = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];
const BYTES: [f64; 7] = [256.0, 1024.0, 4096.0, 16384.0, 65536.0, 262_144.0, 1_048_576.0];

/// Latencies in microseconds; what takes more than a minute counts as a minute.
const LATENCIES: Window = Window { resolution: 1.0, highest: 6e7 };

/// The route label of a request that no route matches.
pub(crate) const UNMATCHED: &str = "unmatched";

/// The methods that are label values. Any other is [`OTHER`], since a client could invent methods.
const METHODS: [&str; 7] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"];
const OTHER: &str = "_OTHER";

/// The status of an answer whose handler panicked.
const PANICKED: &str = "500";

/// The HTTP metrics of one service.
pub struct HttpMetrics {
    requests: CounterVec,
    seconds: HistogramVec,
    latency: SummaryVec,
    micro: Option<MicroMetrics>,
    /// The methods and routes that have series of their own in a summary, which takes 50 kB for each.
    documented: BTreeSet<(String, String)>,
    pub(crate) in_flight: Gauge,
    pub(crate) request_bytes: HistogramVec,
    pub(crate) response_bytes: HistogramVec,
    pub(crate) rejected: CounterVec,
    pub(crate) panics: Counter,
}

impl HttpMetrics {
    /// Registers the metrics. Every route, method and status that `documented` names begins at zero, since `rate()` counts the first
    /// request only if there was a zero before it. So does 500, the answer of a panic, which no route documents. `micro` adds go-micro's
    /// names.
    pub fn new(registry: &Registry, documented: &[(String, String, String)], micro: bool) -> metrics::Result<Self> {
        let own: BTreeSet<_> = documented.iter().map(|(method, route, _)| (method.clone(), route.clone())).collect();
        let metrics = Self {
            requests: registry.counter_vec(
                "myevents_request_total",
                "HTTP requests answered, by method, route template and status; without those the parser itself refuses.",
                &["method", "route", "status"],
            )?,
            seconds: registry.histogram_vec(
                "myevents_request_duration_seconds",
                "Time from a request's head to its answer, by method and route template.",
                &["method", "route"],
                Buckets::from(SECONDS).and_native(),
            )?,
            latency: registry.summary_vec(
                "myevents_upstream_latency_microseconds",
                "Time to a request's answer as quantiles over the last ten minutes; what no document names is _OTHER, unmatched.",
                &["method", "route"],
                LATENCIES,
            )?,
            micro: micro.then(|| MicroMetrics::new(registry, LATENCIES, &SECONDS)).transpose()?,
            in_flight: registry.gauge("myevents_http_requests_in_flight", "HTTP requests being answered just now.")?,
            request_bytes: registry.histogram_vec(
                "myevents_http_request_size_bytes",
                "Size of request bodies that were read, by method.",
                &["method"],
                BYTES,
            )?,
            response_bytes: registry.histogram_vec(
                "myevents_http_response_size_bytes",
                "Size of response bodies, by method.",
                &["method"],
                BYTES,
            )?,
            rejected: registry.counter_vec(
                "myevents_http_rejected_total",
                "HTTP requests turned away before they were handled, by reason.",
                &["reason"],
            )?,
            panics: registry.counter("myevents_http_panics_total", "Handlers that panicked; each is a bug.")?,
            documented: own,
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
            if let Some(micro) = &metrics.micro {
                micro.begin(&endpoint(method, route));
            }
        }
        Ok(metrics)
    }

    /// Counts an answer.
    pub(crate) fn answered(
        &self,
        method: &str,
        route: &str,
        status: StatusCode,
        took: Duration,
        trace: Option<TraceId>,
    ) {
        self.requests.with_label_values(&[method, route, status.as_str()]).inc();
        let seconds = took.as_secs_f64();
        self.seconds.with_label_values(&[method, route]).observe_with_exemplar(seconds, trace);
        let documented = self.documented.iter().any(|(known, at)| known == method && at == route);
        let (method, route) = if documented { (method, route) } else { (OTHER, UNMATCHED) };
        self.latency.with_label_values(&[method, route]).observe(seconds * 1e6);
        if let Some(micro) = &self.micro {
            micro.answered(&endpoint(method, route), status, seconds);
        }
    }
}

/// What go-micro calls a method.
fn endpoint(method: &str, route: &str) -> String {
    if route == UNMATCHED { route.to_owned() } else { format!("{method} {route}") }
}

/// The label for a method.
pub(crate) fn method_label(method: &str) -> &'static str {
    METHODS.into_iter().find(|known| *known == method).unwrap_or(OTHER)
}

#[cfg(test)]
mod tests {
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
