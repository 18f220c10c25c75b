//! What a process of ours needs before it serves anybody: options, logs, signals, threads, metrics. It knows no HTTP, no
//! message and no store.
//!
//! | file | idea |
//! |---|---|
//! | [`checks`] | every option is checked before anything starts; all problems at once |
//! | [`telemetry`], [`panics`] | logs; a panic is one line of them |
//! | [`shutdown`] | signals become one token |
//! | [`threads`] | the thread budget |
//! | [`background`] | tasks beside the servers |
//! | [`health`] | what `/readyz` answers |
//! | [`metrics`] | one registry a service; process, runtimes, build |
//! | [`fail_point`] | where a test can have the process killed |
//!
//! Read next: the crate `messaging`.

pub mod background;
pub mod checks;
pub mod fail_point;
pub mod health;
pub mod metrics;
pub mod panics;
pub mod shutdown;
pub mod telemetry;
pub mod threads;
