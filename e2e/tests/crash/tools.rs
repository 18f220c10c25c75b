//! The tools of the command line that these tests use: `load` and `verify`.

use std::{
    path::Path,
    process::{Command, Output},
};

use e2e::{binary, load::Load, server::Server, start_page::Addresses};

/// Runs `myevents verify` on the running system, with more arguments.
pub(crate) fn verify(server: &Server, more: &[&str]) -> Output {
    let at = &server.addresses;
    let mut command = Command::new(binary::myevents());
    command.args(["verify", "--events-url", &at.events, "--bookings-url", &at.bookings]);
    command.args(["--events-ops-url", &at.events_ops, "--bookings-ops-url", &at.bookings_ops]);
    command.args(more).env_clear().output().unwrap()
}

/// Runs `myevents verify` on a stopped folder.
pub(crate) fn verify_folder(folder: &Path) -> Output {
    let mut command = Command::new(binary::myevents());
    command.arg("verify").arg("--data-dir").arg(folder.join("data")).env_clear().output().unwrap()
}

/// Panics with everything that was printed, where it was not satisfied.
#[track_caller]
pub(crate) fn assert_clean(output: &Output) {
    let printed = [&output.stdout[..], &output.stderr[..]].concat();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&printed));
}

/// A running `myevents load` with 64 connections.
pub(crate) fn load(at: &Addresses, record: &Path) -> Load {
    Load::start(record, ["--connections", "64", "--events-url", &at.events, "--bookings-url", &at.bookings])
}
