//! What every process needs before it serves anybody: options, logs, signals, threads, metrics. It knows no HTTP, no messages
//! and no store.
//!
//! | file | idea |
//! |---|---|
//! | [`checks`], [`secret`] | every option is checked before anything starts; all problems at once, and no secret shown |
//! | [`telemetry`], [`panics`] | logs; a panic is one line of them |
//! | [`log_lines`], [`output`] | what is written waits for no reader |
//! | [`log_on_change`] | one log line for each change, not one for each request |
//! | [`shutdown`] | SIGINT and SIGTERM cancel one token |
//! | [`threads`] | the thread budget |
//! | [`background`] | tasks beside the servers, and how they end |
//! | [`health`] | readiness: what `/readyz` answers |
//! | [`metrics`] | one registry per service; metrics of process, runtimes and build |
//! | [`fail_point`] | where a test can kill the process |
//!
//! Read next: the crate `messaging`.

pub mod background;
pub mod checks;
pub mod fail_point;
pub mod health;
pub mod log_lines;
pub mod log_on_change;
pub mod metrics;
pub mod output;
pub mod panics;
pub mod secret;
pub mod shutdown;
pub mod telemetry;
pub mod threads;
