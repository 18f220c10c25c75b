//! Free ports.

use std::net::TcpListener;

/// A port for a server that is stopped and started again: below those that the system gives out, or somebody else may have
/// it when the server comes back.
pub fn free_port() -> u16 {
    let mut any = std::iter::repeat_with(|| fastrand::u16(10_000..20_000));
    any.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("some of them are free")
}
