//! Our sources: where they are, and what stands in them. The tests of the structure read them, and [`crate::catalogue`].

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

use crate::dashboard::workspace;

/// Folders that hold several crates.
pub const ROOMS: [&str; 4] = ["platform", "tools", "alerting", "tutorial"];

/// Where a crate lies.
pub fn folder(name: &str) -> PathBuf {
    let rooms = ROOMS.map(|of| workspace().join(of).join(name));
    rooms.into_iter().find(|room| room.is_dir()).unwrap_or_else(|| workspace().join(name))
}

/// The folder of each crate: those of the workspace, and those in [`ROOMS`].
pub fn crates() -> Vec<PathBuf> {
    let folders = |of: &Path| inside(of).collect::<Vec<_>>();
    let rooms = ROOMS.map(|room| workspace().join(room));
    let all = folders(&workspace()).into_iter().chain(rooms.iter().flat_map(|room| folders(room)));
    all.filter(|folder| folder.join("Cargo.toml").is_file()).collect()
}

fn inside(folder: &Path) -> impl Iterator<Item = PathBuf> {
    let all = fs::read_dir(folder).unwrap_or_else(|cause| panic!("{}: {cause}", folder.display()));
    all.map(|entry| entry.expect("a folder can be read").path())
}

/// Every Rust file of the workspace with its text, by its path from the root.
pub fn sources() -> BTreeMap<String, String> {
    let (root, mut found) = (workspace(), BTreeMap::new());
    let mut folders = crates();
    while let Some(folder) = folders.pop() {
        for path in inside(&folder) {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let name = path.strip_prefix(&root).expect("it is below the root").display().to_string();
                found.insert(name, fs::read_to_string(&path).expect("a source can be read"));
            }
        }
    }
    found
}

/// What stands before a file's tests.
pub fn without_tests(source: &str) -> &str {
    source.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default()
}

/// Without comments, which may name anything.
pub fn code(source: &str) -> String {
    let begins = |line: &str| line.match_indices("//").map(|(at, _)| at).find(|at| !line[..*at].ends_with(':')); // not `http://`
    let code = |line: &str| line[..begins(line).unwrap_or(line.len())].to_owned();
    source.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands there by itself, not as a part of a longer name.
pub fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, behind) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}
