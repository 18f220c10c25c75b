//! Our sources: where they are, and what stands in them.

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

pub(crate) fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Folders that hold several crates.
pub(crate) const ROOMS: [&str; 4] = ["platform", "tools", "alerting", "tutorial"];

/// Where a crate lies.
pub(crate) fn folder(name: &str) -> PathBuf {
    let rooms = ROOMS.map(|of| workspace().join(of).join(name));
    rooms.into_iter().find(|room| room.is_dir()).unwrap_or_else(|| workspace().join(name))
}

/// The folder of each crate: those of the workspace, and those in [`ROOMS`].
pub(crate) fn crates() -> Vec<PathBuf> {
    let folders = |of: &Path| fs::read_dir(of).unwrap().map(|entry| entry.unwrap().path()).collect::<Vec<_>>();
    let rooms = ROOMS.map(|room| workspace().join(room));
    let all = folders(&workspace()).into_iter().chain(rooms.iter().flat_map(|room| folders(room)));
    all.filter(|folder| folder.join("Cargo.toml").is_file()).collect()
}

/// Every Rust file of the workspace with its text, by its path from the root.
pub(crate) fn sources() -> BTreeMap<String, String> {
    let (root, mut found) = (workspace(), BTreeMap::new());
    let mut folders = crates();
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).unwrap().to_str().unwrap().to_owned();
                found.insert(name, fs::read_to_string(&path).unwrap());
            }
        }
    }
    found
}

/// What stands before a file's tests.
pub(crate) fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// Without comments, which may name anything.
pub(crate) fn code(source: &str) -> String {
    let begins = |line: &str| line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':')); // not `http://`
    let code = |line: &str| line[..begins(line).unwrap_or(line.len())].to_owned();
    source.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands there by itself, not as a part of a longer name.
pub(crate) fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, behind) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}
