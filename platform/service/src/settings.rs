//! How a service runs: its ports, its threads, its store. Made from the options of each binary, and by the tests.

use std::{path::PathBuf, time::Duration};

use mongo::address::MongoUrl;
use process::metrics::options::MetricsConfig;
use trace::Stories;
use webserver::listen::Listen;

/// How a service runs; each binary's `config.rs` makes it from its own options.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where REST listens.
    pub rest: Listen,
    /// Where the ops port is.
    pub ops: Listen,
    /// Threads that answer REST.
    pub rest_workers: usize,
    /// Services in this process, which share its file descriptors and its memory.
    pub servers: usize,
    /// How long it still answers after the signal to stop.
    pub shutdown_delay: Duration,
    /// How long a connection to REST is kept without a request.
    pub keep_alive_timeout: Duration,
    /// What was chosen about its metrics.
    pub metrics: MetricsConfig,
    /// The folder of the database file.
    pub data_dir: PathBuf,
    /// The MongoDB server to store in instead of a file.
    pub mongo: Option<MongoUrl>,
    /// Where each step of a request is told. Services in one process share them.
    pub stories: Stories,
}
