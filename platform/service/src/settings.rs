//! How a service runs: its ports, its threads, its store. Made from the options of each binary, and by the tests.

use std::{
    net::{SocketAddr, TcpListener},
    path::PathBuf,
    time::Duration,
};

use mongo::address::MongoUrl;
use process::checks::{Checks, OptionText};
use webserver::listen::{ListenError, listen};

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
    /// The folder of the database file.
    pub data_dir: PathBuf,
    /// The MongoDB server to store in instead of a file.
    pub mongo: Option<MongoUrl>,
}

/// An address to listen on, and the variable that sets it, for the error when the port is in use.
#[derive(Clone, Debug)]
pub struct Listen {
    /// Port 0 takes a free one.
    pub address: SocketAddr,
    /// `LISTEN_ADDR`, for example.
    pub option: &'static str,
}

impl Listen {
    /// Reads it from the options.
    pub fn read(checks: &mut Checks, option: OptionText<'_>, default: &str) -> Self {
        let name = option.name;
        Self { address: checks.address(option, default), option: name }
    }

    /// Refuses an address that two have. Without this check, the second to bind it would report a port in use, and not by whom.
    pub fn refuse_one_address_for_two(checks: &mut Checks, all: &[&Self]) {
        for (place, one) in all.iter().enumerate() {
            for other in all.iter().skip(place + 1).filter(|other| other.address == one.address) {
                if one.address.port() != 0 {
                    let (a, b) = (one.option, other.option);
                    checks.problem(format!("{a} and {b} are both {}: each needs an address of its own", one.address));
                }
            }
        }
    }

    /// Binds the address.
    pub fn bind(&self) -> Result<TcpListener, ListenError> {
        listen(self.address, self.option)
    }
}
