//! The harness of the end-to-end tests: it starts the system, or finds a running one, and speaks HTTP with it.
//!
//! It names no type of any service, so the tests hold for every build of the system, in one process or in many.
//!
//! - [`system`]: starts `myevents` on free ports, or takes a running system from the environment
//! - [`start_page`]: how its addresses are found; [`page`]: what the page says
//! - [`api`], [`answer`]: one address with its requests, and what comes back
//! - [`raw`]: requests byte by byte, which no HTTP client would send
//! - [`exposition`], [`series`]: a strict reader of what `/metrics` says
//! - [`forms`]: what the three forms of a scrape say
//! - [`dashboard`], [`promql`]: what Grafana's dashboards ask Prometheus for
//! - [`prometheus`]: what a running Prometheus answers; [`rules`]: its rules, and their tests
//! - [`notifications`]: where alerts arrive
//! - [`catalogue`]: every metric, with its type and labels, read from our [`sources`]
//! - [`asked`]: every query of the repository
//! - [`replica`]: a process of one service; [`queue`]: a queue, as the broker shows it;
//!   [`strangers`]: what somebody else puts into it
//! - [`server`]: a process to be killed and started again; [`ports`]: where it comes back; [`signal`]: what it is sent
//! - [`kubectl`]: the command, and ports of a cluster
//! - [`load`]: a running `myevents load`, and what it has written down
//! - [`flash_sale`]: the last seats of events, while something is killed
//! - [`samples`]: things to create; [`small_disk`]: one to fill
//!
//! Servers, and waiting without sleeping, are in the crate `testing`.

pub mod answer;
pub mod api;
pub mod asked;
pub mod catalogue;
pub mod dashboard;
pub mod exposition;
pub mod flash_sale;
pub mod forms;
pub mod kubectl;
pub mod load;
pub mod notifications;
pub mod page;
pub mod ports;
pub mod prometheus;
pub mod promql;
pub mod queue;
pub mod raw;
pub mod replica;
pub mod rules;
pub mod samples;
pub mod series;
pub mod server;
pub mod signal;
pub mod small_disk;
pub mod sources;
pub mod start_page;
pub mod strangers;
pub mod system;

pub use answer::Answer;
pub use api::Api;
pub use exposition::Exposition;
pub use system::System;
pub use testing::{SOON, binary, eventually, not_run};
