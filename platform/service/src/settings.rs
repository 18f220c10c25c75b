//! How a service is run: what its options mean.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use mongo::address::MongoUrl;
use process::checks::{Checks, Given};
use webserver::server::{ListenError, listen};

/// How a service is run; each binary's `config.rs` reads it from its own options.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where REST listens.
    pub rest: Listen,
    /// Where the ops port is.
    pub ops: Listen,
    /// Threads that answer REST.
    pub rest_workers: usize,
    /// Services in this process, which share its file descriptors and all else that it uses.
    pub servers: usize,
    /// How long it goes on answering after the signal to stop.
    pub shutdown_delay: Duration,
    /// The folder of the database file.
    pub data_dir: PathBuf,
    /// The MongoDB server that is used instead of a file.
    pub mongo: Option<MongoUrl>,
}

/// An address, and the variable that sets it, for the message when it is taken.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// `LISTEN_ADDR`, for example.
    pub option: &'static str,
}

impl Listen {
    /// Reads it from the options.
    pub fn read(checks: &mut Checks, option: Given<'_>, default: &str) -> Self {
        let name = option.name;
        Self { address: checks.address(option, default), option: name }
    }

    /// Takes the address.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        listen(self.address, self.option)
    }
}
