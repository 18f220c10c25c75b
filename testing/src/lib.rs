//! For tests only: what the tests of several crates share. No program of ours depends on it.
//!
//! - [`eventually`], [`not_run`]: waiting without sleeping, and saying what was not run
//! - [`rabbitmq`], [`mongo_server`]: real servers, found or started; [`proxy`]: a bad network before one
//! - [`binary`], [`services`]: our programs, built and started; [`ports`]: free ones
//! - [`strangers`]: messages as somebody else may publish them; [`told`]: server-sent events
//! - [`promtool`]: Prometheus' own linter
//! - [`dice`]: random numbers that can be had again
//! - [`alertmanager`]: notifications as Alertmanager sends them; [`logs`]: what was logged
//! - [`mod@bus_suite`], [`bus_world`]: what every bus must do; [`notes`]: a database file as a service would have one

#![expect(clippy::unwrap_used, reason = "a test may panic")]
#![expect(missing_docs, reason = "the names of these helpers say what they are")]

pub mod alertmanager;
pub mod binary;
pub mod bus_suite;
pub mod bus_world;
pub mod dice;
pub mod logs;
pub mod mongo_server;
pub mod notes;
pub mod ports;
pub mod promtool;
pub mod proxy;
pub mod rabbitmq;
pub mod services;
pub mod strangers;
pub mod told;
mod wait;

use std::path::PathBuf;

pub use wait::{SOON, eventually, eventually_mut, not_run};

/// `target/tmp`, where tests and what they build may write. Cargo names it only to tests, and not to this library.
pub fn target_tmp() -> PathBuf {
    let me = std::env::current_exe().expect("a running program has a path");
    let tmp = me.ancestors().nth(3).expect("tests lie in target/<profile>/deps").join("tmp");
    std::fs::create_dir_all(&tmp).expect("target/ can be written");
    tmp
}
