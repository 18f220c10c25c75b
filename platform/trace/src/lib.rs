//! Which request something belongs to: a [`TraceId`] goes with a request through log lines, messages and exemplars of metrics.
//!
//! | file | idea |
//! |---|---|
//! | [`id`] | the id of a trace |
//! | [`parent`] | the W3C `traceparent`, which carries the id from one process to the next |
//!
//! Nothing is sampled and nothing is sent to a tracing server.

pub mod id;
pub mod parent;

pub use id::TraceId;
