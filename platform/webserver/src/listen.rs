//! The addresses of a program. If one cannot be bound, the error names the option that sets it.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use process::checks::{Checks, OptionText, flag};

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
        let Self { address, option } = *self;
        TcpListener::bind(address).map_err(|cause| ListenError { address, option, cause })
    }
}

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({cause}): {hint}", hint = self.hint())]
pub struct ListenError {
    address: SocketAddr,
    option: &'static str,
    cause: io::Error,
}

impl ListenError {
    /// Whether somebody else has the port.
    pub fn is_in_use(&self) -> bool {
        self.cause.kind() == io::ErrorKind::AddrInUse
    }

    fn hint(&self) -> String {
        let (option, flag) = (self.option, flag(self.option));
        let exporter =
            if self.address.port() == 9100 && self.is_in_use() { " (node_exporter often has port 9100)" } else { "" };
        format!("choose another address with {flag} or {option}; port 0 takes a free one{exporter}")
    }
}
