//! One observation with the trace that it belongs to: a click on a slow point of a graph leads to the request behind it.

use std::time::Duration;

use trace::TraceId;

/// An observation of a bucket.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Exemplar {
    /// Its label `trace_id`.
    pub trace_id: TraceId,
    /// What was observed.
    pub value: f64,
    /// When, as a time since 1970. Prometheus drops exemplars of native histograms that have none.
    pub at: Duration,
}

/// The label's name.
pub(crate) const LABEL: &str = "trace_id";
