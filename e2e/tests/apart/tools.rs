//! The tools of the command line, on a system of many processes.

use std::{
    path::Path,
    process::{Command, Output, Stdio},
};

use e2e::{binary, load::Load};

use crate::{replica::Replica, world::World};

/// Addresses of replicas, as an option takes them.
fn list<'r>(urls: impl Iterator<Item = &'r String>) -> String {
    urls.map(String::as_str).collect::<Vec<_>>().join(",")
}

/// The options with the addresses of its REST ports.
fn rest_options(world: &World) -> [String; 4] {
    let rest = |replicas: &[Replica]| list(replicas.iter().map(|replica| &replica.urls.0));
    ["--events-url".into(), rest(&world.events), "--bookings-url".into(), rest(&world.bookings)]
}

/// The options with the addresses of its ops ports.
fn ops_options(world: &World) -> [String; 4] {
    let ops = |replicas: &[Replica]| list(replicas.iter().map(|replica| &replica.urls.1));
    ["--events-ops-url".into(), ops(&world.events), "--bookings-ops-url".into(), ops(&world.bookings)]
}

/// Runs `myevents` to its end.
pub(crate) fn run<A: AsRef<std::ffi::OsStr>>(arguments: impl IntoIterator<Item = A>) -> Output {
    Command::new(binary::myevents()).args(arguments).env_clear().stdin(Stdio::null()).output().unwrap()
}

/// The arguments of `myevents trace …`.
pub(crate) fn trace(world: &World, id: &str) -> Vec<String> {
    ["trace".to_owned(), id.to_owned()].into_iter().chain(ops_options(world)).collect()
}

/// `myevents dead …`; what it said, if it ended well.
pub(crate) fn dead(world: &World, what: &[&str]) -> String {
    let what = ["dead"].iter().chain(what).map(|text| (*text).to_owned());
    said(&run(what.chain(ops_options(world))))
}

/// The same, where it must fail; what it said then.
pub(crate) fn dead_fails(world: &World, what: &[&str]) -> String {
    let what = ["dead"].iter().chain(what).map(|text| (*text).to_owned());
    let output = run(what.chain(ops_options(world)));
    let printed = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{printed}");
    printed
}

/// `myevents verify` on the running system, with more arguments: all must be well.
#[track_caller]
pub(crate) fn verify(world: &World, more: &[&str]) -> String {
    let more = more.iter().map(|text| (*text).to_owned());
    said(&run(["verify".to_owned()].into_iter().chain(rest_options(world)).chain(ops_options(world)).chain(more)))
}

/// What it said, if it ended well; else all of it in the panic.
#[track_caller]
pub(crate) fn said(output: &Output) -> String {
    let printed = String::from_utf8_lossy(&[&output.stdout[..], &output.stderr[..]].concat()).into_owned();
    assert_eq!(output.status.code(), Some(0), "{printed}");
    printed
}

/// A running `myevents load` on all replicas.
pub(crate) fn load(world: &World, folder: &Path, more: &[&str]) -> Load {
    Load::start(
        &folder.join("record"),
        rest_options(world).into_iter().chain(more.iter().map(|text| (*text).to_owned())),
    )
}
