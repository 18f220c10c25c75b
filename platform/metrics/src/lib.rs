//! A registry of metrics, and the three forms in which Prometheus reads it.
//!
//! ```
//! let registry = metrics::Registry::new();
//! let requests = registry.counter_vec("app_requests_total", "Requests answered.", &["status"]).unwrap();
//! requests.with_label_values(&["200"]).inc();
//! let answer = metrics::answer(&registry.gather(), "", "", false);
//! assert!(String::from_utf8(answer.body).unwrap().contains("app_requests_total{status=\"200\"} 1\n"));
//! ```
//!
//! The calls are those of the crate `prometheus` and of Go's client. That crate has no exemplars, start timestamps, native histograms and
//! summaries, and writes one form only; here each series keeps all that belongs to it in one place.
//!
//! | file | idea |
//! |---|---|
//! | `registry.rs` | registers metrics; collects them for a scrape |
//! | `collector.rs` | what a registry asks, and what it refuses |
//! | `family.rs` | a metric with labels: its series, made when first used |
//! | `counter.rs`, `gauge.rs`, `histogram.rs`, `summary.rs` | the types of metrics |
//! | `asked.rs` | a value that is asked for at each scrape |
//! | `native.rs` | a histogram whose buckets need no bounds |
//! | `start.rs` | since when a series counts |
//! | `exemplar.rs` | one observation and the trace it belongs to |
//! | `model.rs` | what was collected: the input of all three forms |
//! | `text.rs`, `open_metrics.rs`, `protobuf.rs` | the three forms; `lines.rs`: what the first two have in common |
//! | `negotiate.rs` | which form a scrape asks for, and whether compressed |
//!
//! Source: <https://prometheus.io/docs/instrumenting/exposition_formats/>. Read next: `registry.rs`.

mod asked;
mod collector;
mod counter;
mod exemplar;
mod family;
mod gauge;
mod histogram;
mod lines;
pub mod model;
mod native;
mod negotiate;
mod open_metrics;
mod protobuf;
mod registry;
mod start;
mod summary;
mod text;

pub use collector::{Collector, Error, Result};
pub use counter::{Counter, CounterVec};
pub use gauge::{Gauge, GaugeVec};
pub use histogram::{Buckets, Histogram, HistogramVec};
pub use negotiate::{Answer, Form, VARY, answer};
pub use registry::Registry;
pub use start::now;
pub use summary::{Summary, SummaryVec, Window};
