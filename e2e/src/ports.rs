//! Ports on which a process comes back after it was killed.
//!
//! They lie below those that the system gives out: while the process is down, nobody else must get one.

use std::net::TcpListener;

/// Free ports; processes that are started one after the other look for them in different places.
pub fn reserved() -> impl Iterator<Item = u32> {
    let first = 20_000 + std::process::id() % 300 * 40; // neighbours in the list of processes are some ports apart
    (first..32_000).filter(|port| TcpListener::bind(format!("127.0.0.1:{port}")).is_ok())
}
