//! Free ports.

use std::{
    hash::{BuildHasher, RandomState},
    net::TcpListener,
};

/// A port for a server that is stopped and started again: below those that the system gives out, or somebody else may have
/// it when the server comes back.
pub fn free_port() -> u16 {
    let mut any = std::iter::repeat_with(|| 10_000 + (RandomState::new().hash_one(()) % 10_000) as u16);
    any.find(|port| TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("some of them are free")
}
