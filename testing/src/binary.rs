//! The programs under test: built once per test binary, by the same cargo and with the same profile. With BINARIES_ARE_BUILT,
//! which `.ci/test` sets, they are taken as they are: it has built them with everything else, in a way of which cargo would
//! make another one here, with other features in a hundred crates.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of `myevents`.
pub fn myevents() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new(); // so that 100 tests do not ask cargo 100 times
    BUILT.get_or_init(|| build(&["myevents"]).join(executable("myevents")))
}

/// The path of one of the services on its own.
pub fn service(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    // All three at once: built one by one they could be given other features, and be built again each time.
    BUILT.get_or_init(|| build(&["myevents", "eventservice", "bookingservice"])).join(executable(name))
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

/// Builds them, and says where they are.
fn build(packages: &[&str]) -> PathBuf {
    let me = std::env::current_exe().expect("a running program has a path");
    let folder = me.ancestors().nth(2).expect("tests lie in target/<profile>/deps").to_owned();
    if std::env::var_os("BINARIES_ARE_BUILT").is_some() {
        return folder;
    }
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("this crate lies in the workspace");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked"]);
    for package in packages {
        cargo.args(["-p", package]);
    }
    // What cargo says to this test about its own crate. Some build scripts (ring's) look at it, and would run again each time,
    // and all that depends on them be built again.
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_CRATE_"].iter().any(|begin| text.starts_with(begin)) {
            cargo.env_remove(&name);
        }
    }
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "{packages:?} do not build");
    folder
}
