//! Lists the runbooks for the code, so that the binary holds them: `src/linked.rs` takes them from here.
//!
//! They lie at the root of the workspace, since Prometheus' rules name them. Where there are none, the list is empty.

use std::{env, fs, path::Path};

fn main() {
    let root = env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    let folder = Path::new(&root).join("../../prometheus/runbooks");
    // Of a folder that is not there, its parent: else cargo would run this for each build.
    let watched = if folder.is_dir() { folder.clone() } else { folder.join("..") };
    println!("cargo::rerun-if-changed={}", watched.display());
    println!("cargo::rerun-if-changed=build.rs");

    let entries = fs::read_dir(&folder).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let mut files: Vec<_> = entries.filter(|path| path.extension().is_some_and(|end| end == "md")).collect();
    files.sort();
    let line = |path: &std::path::PathBuf| {
        let name = path.file_stem().and_then(|name| name.to_str()).expect("a runbook has the name of its alert");
        format!(
            "    ({name:?}, include_str!({:?})),\n",
            path.canonicalize().expect("it is there").display().to_string()
        )
    };
    let list: String = files.iter().map(line).collect();
    let out = Path::new(&env::var("OUT_DIR").expect("cargo sets it")).join("runbooks.rs");
    fs::write(out, format!("[\n{list}]\n")).expect("cargo's own folder can be written");
}
