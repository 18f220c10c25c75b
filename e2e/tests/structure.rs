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

/// Which crate of the workspace may use which. `testing` is for tests and benchmarks, and may be used by those of all others.
const ARROWS: [(&str, &[&str]); 15] = [
    ("contracts", &[]),
    ("process", &[]),
    ("paging", &[]),
    ("messaging", &["paging", "process"]),
    ("amqp", &["messaging", "process"]),
    ("sqlite", &["messaging", "process"]),
    ("mongo", &["messaging", "process"]),
    ("webserver", &["paging", "process"]),
    ("service", &["amqp", "messaging", "mongo", "process", "sqlite", "webserver"]),
    ("eventservice", &SERVICE),
    ("bookingservice", &SERVICE),
    ("alerting", &["process", "service", "webserver"]),
    ("myevents", &MYEVENTS),
    ("testing", &["messaging", "process", "sqlite"]),
    ("e2e", &["testing"]),
];

/// What a service is made of.
const SERVICE: [&str; 9] =
    ["contracts", "amqp", "messaging", "mongo", "paging", "process", "service", "sqlite", "webserver"];

/// The command line may use both services.
const MYEVENTS: [&str; 9] = [
    "alerting",
    "contracts",
    "eventservice",
    "bookingservice",
    "messaging",
    "process",
    "service",
    "sqlite",
    "webserver",
];

/// What the tests of a crate may use besides.
const TESTS: [(&str, &[&str]); 4] =
    [("messaging", &["sqlite"]), ("amqp", &["sqlite"]), ("mongo", &["paging", "sqlite"]), ("myevents", &["amqp"])];

/// Which crate from outside may be named only where: a folder with all in it, or a file.
const SEAMS: [(&str, &[&str]); 4] = [
    ("rusqlite", &["platform/sqlite/src/", "eventservice/src/store/", "bookingservice/src/store/"]),
    ("mongodb", &["platform/mongo/src/", "eventservice/src/store/", "bookingservice/src/store/"]),
    // As a text, too, since its log must be silent.
    ("lapin", &["platform/amqp/src/", "platform/process/src/telemetry.rs"]),
    ("procfs", &["platform/process/src/metrics/"]),
];

/// What no source may say, and why.
const NEVER: [(&str, &str); 6] = [
    ("web::block", "each actix worker would open a pool of threads: read through the reader thread"),
    ("spawn_blocking", "it opens a pool of threads: see the table in platform/process/src/threads.rs"),
    ("lazy_static", "nothing global: pass it in"),
    ("static mut", "nothing global: pass it in"),
    ("#[allow(", "write #[expect(…, reason = \"…\")]"),
    ("#![allow(", "write #![expect(…, reason = \"…\")]"),
];

fn workspace() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

/// Where a crate lies.
fn folder(name: &str) -> PathBuf {
    let room = workspace().join("platform").join(name);
    if room.is_dir() { room } else { workspace().join(name) }
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
    let mut folders: Vec<_> = ARROWS.iter().map(|(name, _)| folder(name)).collect();
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
    let (made_of, tested_with) = (dependencies(&["normal", "build"]), dependencies(&["dev"]));
    let members: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(made_of.keys().cloned().collect::<BTreeSet<_>>(), members, "the crates of the workspace");
    for (name, allowed) in ARROWS {
        let wrong = |used: &BTreeSet<String>, more: &[&str]| {
            let used = used.intersection(&members).filter(|used| !allowed.contains(&used.as_str()));
            used.filter(|used| !more.contains(&used.as_str())).cloned().collect::<Vec<_>>()
        };
        assert_eq!(wrong(&made_of[name], &[]), [""; 0], "{name} must not use them");
        let tests = TESTS.iter().find(|(of, _)| *of == name).map_or(&[][..], |(_, more)| more);
        assert_eq!(wrong(&tested_with[name], &[tests, &["testing"]].concat()), [""; 0], "nor must the tests of {name}");
    }
}

#[test]
fn what_stands_behind_a_seam_is_named_only_there() {
    for (file, source) in sources() {
        // Tests look behind the seams: they damage files and stop brokers. Benchmarks compare with the bare client.
        let tests = ["/tests/", "/benches/"].iter().any(|part| file.contains(part));
        let tests = tests || file.starts_with("e2e/") || file.starts_with("testing/");
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
            let here = folder(&name).strip_prefix(workspace()).unwrap().to_owned();
            let place = places.iter().any(|place| Path::new(place).starts_with(&here)) || name == "testing";
            assert!(place || !used.contains(word), "{name} depends on {word}");
        }
    }
}

/// A name is read as its words: `seats_left`, `BookingId` and `EventBooked` are about seats, bookings and events.
#[test]
fn the_platform_knows_no_event_no_booking_and_no_seat() {
    // Events of others: MongoDB's driver and tokio tell of some, a log line is one, and messages go to an exchange of this name.
    let events_of_others = [
        "platform/mongo/src/",
        "platform/amqp/src/",
        "platform/process/src/telemetry.rs",
        "platform/process/src/metrics/runtime.rs",
    ];
    let mut files = 0;
    for (file, source) in sources().into_iter().filter(|(file, _)| file.starts_with("platform/")) {
        if file.contains("/tests/") {
            continue;
        }
        files += 1;
        let source = source.split("#[cfg(test)]").next().unwrap().to_owned();
        for word in words(&code(&source)) {
            let of_others =
                matches!(&*word, "event" | "events") && events_of_others.iter().any(|of| file.starts_with(of));
            let ours = ["booking", "bookings", "booked", "seat", "seats", "event", "events"].contains(&&*word);
            assert!(!ours || of_others, "{file} says {word}");
        }
    }
    assert!(files > 50, "only {files} files");
}

/// The single words that names are made of, in small letters; `myevents` is one.
fn words(code: &str) -> BTreeSet<String> {
    let mut words = BTreeSet::new();
    for name in code.split(|c: char| !c.is_alphabetic()) {
        let (mut word, mut before) = (String::new(), ' ');
        for letter in name.chars() {
            if letter.is_uppercase() && before.is_lowercase() {
                words.insert(std::mem::take(&mut word));
            }
            word.extend(letter.to_lowercase());
            before = letter;
        }
        words.insert(word);
    }
    words
}

#[test]
fn names_are_read_as_their_words() {
    let found = words("fn seats_left(id: BookingId) -> EventBooked { myevents::run() }");
    for word in ["seats", "booking", "event", "booked", "myevents"] {
        assert!(found.contains(word), "{word}: {found:?}");
    }
    assert!(!found.contains("events"));
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
