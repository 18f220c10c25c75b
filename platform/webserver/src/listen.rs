//! Binding an address. If that fails, the error names the option that sets the address.

use std::{
    io,
    net::{SocketAddr, TcpListener},
};

use process::checks::flag;

/// An address that cannot be listened on.
#[derive(Debug, thiserror::Error)]
#[error("cannot listen on {address} ({cause}): {hint}", hint = self.hint())]
pub struct ListenError {
    address: SocketAddr,
    option: &'static str,
    cause: io::Error,
}

impl ListenError {
    fn hint(&self) -> String {
        let (option, flag) = (self.option, flag(self.option));
        let exporter = match (self.address.port(), self.cause.kind()) {
            (9100, io::ErrorKind::AddrInUse) => " (node_exporter often has port 9100)",
            _ => "",
        };
        format!("choose another address with {flag} or {option}; port 0 takes a free one{exporter}")
    }
}

/// Binds the address. `option` is the variable that sets it, for the error.
pub fn listen(address: SocketAddr, option: &'static str) -> Result<TcpListener, ListenError> {
    TcpListener::bind(address).map_err(|cause| ListenError { address, option, cause })
}
