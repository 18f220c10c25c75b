//! The arrows of the design, and the rules that somebody would forget: held over `cargo metadata` and the sources.
//!
//! To allow something new, change the table here in the same commit, and the picture in ARCHITECTURE.md with it.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use serde_json::Value;

/// Which crate of the workspace may use which.
const ARROWS: [(&str, &[&str]); 6] = [
    ("contracts", &[]),
    ("platform", &["contracts"]),
    ("eventservice", &["contracts", "platform"]),
    ("bookingservice", &["contracts", "platform"]),
    ("myevents", &["contracts", "platform", "eventservice", "bookingservice"]),
    ("e2e", &[]),
];

/// Which crate from outside may be named only where: a file, or a folder with all in it.
const SEAMS: [(&str, &[&str]); 4] = [
    (
        "rusqlite",
        &["platform/src/sqlite.rs", "platform/src/sqlite/", "eventservice/src/store/", "bookingservice/src/store/"],
    ),
    (
        "mongodb",
        &["platform/src/mongo.rs", "platform/src/mongo/", "eventservice/src/store/", "bookingservice/src/store/"],
    ),
    ("lapin", &["platform/src/messaging/"]),
    ("procfs", &["platform/src/metrics/"]),
];

/// What no source may say, and why.
const NEVER: [(&str, &str); 6] = [
    ("web::block", "each actix worker would open a pool of threads: read through the reader thread"),
    ("spawn_blocking", "it opens a pool of threads: see the table in platform/src/threads.rs"),
    ("lazy_static", "nothing global: pass it in"),
    ("static mut", "nothing global: pass it in"),
    ("#[allow(", "write #[expect(…, reason = \"…\")]"),
    ("#![allow(", "write #![expect(…, reason = \"…\")]"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Each crate of the workspace with the names of all crates it depends on: for `kinds` of cargo's, where `normal` is what
/// it is made of.
fn dependencies(kinds: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).args(["metadata", "--no-deps", "--format-version", "1", "--locked"]);
    let metadata: Value = serde_json::from_slice(&cargo.output().unwrap().stdout).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let counts = |one: &&Value| kinds.contains(&one["kind"].as_str().unwrap_or("normal"));
    let used = |package: &Value| package["dependencies"].as_array().unwrap().iter().filter(counts).map(name).collect();
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), used(package))).collect()
}

/// Every Rust file of the workspace with its text, by its path from the root.
fn sources() -> BTreeMap<String, String> {
    let (root, mut found) = (workspace(), BTreeMap::new());
    let mut folders: Vec<_> = ARROWS.iter().map(|(name, _)| root.join(name)).collect();
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

/// Without comments, which may name anything.
fn code(source: &str) -> String {
    let code = |line: &str| line.split("//").next().unwrap_or_default().to_owned();
    source.lines().map(code).collect::<Vec<_>>().join("\n")
}

/// Whether `word` stands there by itself, not as a part of a longer name.
fn names(code: &str, word: &str) -> bool {
    let part = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let (before, behind) = (code[..at].chars().next_back(), code[at + word.len()..].chars().next());
        !before.is_some_and(part) && !behind.is_some_and(part)
    })
}

#[test]
fn the_crates_use_each_other_only_along_the_arrows() {
    let dependencies = dependencies(&["normal", "build", "dev"]);
    let members: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(dependencies.keys().cloned().collect::<BTreeSet<_>>(), members, "the crates of the workspace");
    for (name, allowed) in ARROWS {
        let used = dependencies[name].intersection(&members);
        let wrong: Vec<_> = used.filter(|used| !allowed.contains(&used.as_str())).collect();
        assert!(wrong.is_empty(), "{name} must not use {wrong:?}");
    }
}

#[test]
fn what_stands_behind_a_seam_is_named_only_there() {
    for (file, source) in sources() {
        // Tests look behind the seams: they damage files and stop brokers. Benchmarks compare with the bare client.
        let tests = file.contains("/tests/") || file.contains("/benches/") || file.starts_with("e2e/");
        for (word, places) in SEAMS {
            let here = places.iter().any(|place| file == *place || (place.ends_with('/') && file.starts_with(place)));
            assert!(tests || here || !names(&code(&source), word), "{file} names {word}, which is for {places:?}");
        }
    }
}

#[test]
fn a_seam_is_a_dependency_only_of_crates_that_have_a_place_for_it() {
    // Not for tests: those of `myevents` damage database files by hand, to see that `verify` finds it. A source that names
    // what only its tests may use is found by the test above.
    for (name, used) in dependencies(&["normal", "build"]) {
        for (word, places) in SEAMS {
            let place = places.iter().any(|place| place.starts_with(&format!("{name}/")));
            assert!(place || !used.contains(word), "{name} depends on {word}");
        }
    }
}

#[test]
fn the_platform_knows_no_event_no_booking_and_no_seat() {
    for (file, source) in sources().into_iter().filter(|(file, _)| file.starts_with("platform/src/")) {
        let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
        let code = code(&source).to_lowercase();
        for word in ["booking", "bookings", "seat", "seats", "eventcreated", "eventbooked"] {
            assert!(!names(&code, word), "{file} says {word}");
        }
    }
}

/// What a rule says must be readable, and testable, without a server or a database.
#[test]
fn the_rules_know_no_http_no_sql_and_no_bson() {
    let of_the_rules = |file: &str| file.contains("service/src/domain/");
    let rules: Vec<_> = sources().into_iter().filter(|(file, _)| of_the_rules(file)).collect();
    assert!(rules.len() >= 8, "only {} files of rules", rules.len());
    for (file, source) in rules {
        let code = code(&source);
        for word in ["actix_web", "http", "store", "rusqlite", "sqlite", "mongodb", "bson", "mongo"] {
            assert!(!names(&code, word), "{file} says {word}");
        }
    }
}

#[test]
fn who_knows_one_service_knows_both() {
    for service in ["eventservice", "bookingservice"] {
        for name in ["main", "lib", "config", "app", "domain", "metrics", "http", "store", "listener"] {
            let path = workspace().join(service).join("src").join(name);
            assert!(path.is_dir() || path.with_extension("rs").is_file(), "{} is missing", path.display());
        }
    }
}

#[test]
fn every_file_opens_by_saying_what_it_is() {
    for (file, source) in sources() {
        assert!(source.starts_with("//! "), "{file} does not open with //!");
    }
}

#[test]
fn no_source_says_what_must_never_be_said() {
    for (file, source) in sources().into_iter().filter(|(file, _)| file != "e2e/tests/structure.rs") {
        let code = code(&source);
        for (words, instead) in NEVER {
            assert!(!code.contains(words), "{file} says {words}: {instead}");
        }
    }
}
