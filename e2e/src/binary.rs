//! The program under test: built once per test binary, by the same cargo and with the same profile.

use std::{
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

/// The path of `myevents`.
pub fn myevents() -> &'static Path {
    static BUILT: OnceLock<PathBuf> = OnceLock::new(); // so that 100 tests do not ask cargo 100 times
    BUILT.get_or_init(build)
}

fn build() -> PathBuf {
    let me = std::env::current_exe().expect("a running program has a path");
    let folder = me.ancestors().nth(2).expect("tests lie in target/<profile>/deps").to_owned();
    let workspace = Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("e2e lies in the workspace");
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace).args(["build", "--quiet", "--locked", "-p", "myevents"]);
    if folder.ends_with("release") {
        cargo.arg("--release");
    }
    let status = cargo.status().expect("cargo runs");
    assert!(status.success(), "myevents does not build");
    folder.join(format!("myevents{}", std::env::consts::EXE_SUFFIX))
}
