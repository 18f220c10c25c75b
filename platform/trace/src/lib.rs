//! Which request something belongs to, and what happened to it. A [`TraceId`] goes with a request through log lines, messages and
//! exemplars of metrics; [`Stories`] keeps what happened to the last requests, step by step.
//!
//! | file | idea |
//! |---|---|
//! | [`id`] | the id of a trace |
//! | [`parent`] | the W3C `traceparent`, which carries the id from one process to the next |
//! | [`story`] | one request's story, as it is shown |
//! | [`stories`] | where each step is noted, and the one log line about it |
//! | [`request`] | a request while it is handled, and what it hands on to what it stores |
//! | `ring`, `slot` | how the last stories are kept and found |
//!
//! Nothing is sampled, stored or sent to a tracing server: after a restart a process knows no story.

pub mod id;
pub mod parent;
pub mod request;
mod ring;
mod slot;
pub mod stories;
pub mod story;

pub use id::TraceId;
pub use request::{Origin, Traced};
pub use stories::Stories;
pub use story::{Step, Story};
