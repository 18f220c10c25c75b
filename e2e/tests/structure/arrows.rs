//! Which crate may use which: of ours, and of those from outside. Read from `cargo metadata` and the sources.
//!
//! To allow something new, change the table here in the same commit, and the picture in ARCHITECTURE.md with it.

use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
    process::Command,
};

use serde_json::Value;

use e2e::not_run;
use e2e::{
    dashboard::workspace,
    sources::{code, folder, names, sources, without_tests},
};

/// Which crate of the workspace may use which. `testing` is for tests and benchmarks, and may be used by those of all others.
const ARROWS: [(&str, &[&str]); 26] = [
    ("contracts", &[]),
    ("process", &["metrics"]),
    ("paging", &[]),
    ("trace", &[]),
    ("metrics", &["trace"]),
    ("messaging", &["metrics", "paging", "process", "trace"]),
    ("amqp", &["messaging", "metrics", "process"]),
    ("sqlite", &["messaging", "metrics", "process"]),
    ("mongo", &["messaging", "metrics", "process"]),
    ("webserver", &["metrics", "paging", "process", "trace"]),
    ("apidocs", &["webserver"]),
    ("service", &["amqp", "apidocs", "messaging", "metrics", "mongo", "process", "sqlite", "trace", "webserver"]),
    ("eventservice", &SERVICE),
    ("bookingservice", &SERVICE),
    ("alerts", &["process", "webserver"]),
    ("bridge", &["alerts", "metrics", "process", "service", "webserver"]),
    ("inbox", &["alerts", "process", "service", "webserver"]),
    ("rest", &["contracts", "messaging", "process"]),
    ("load", &["metrics", "process", "rest"]),
    ("inspect", &INSPECT),
    ("stories", &["process", "rest", "trace"]),
    ("page", &["load", "messaging", "process", "rest", "service", "stories", "trace", "webserver"]),
    ("myevents", &MYEVENTS),
    ("random", &["metrics", "process", "trace", "webserver"]),
    ("testing", &["messaging", "metrics", "process", "sqlite"]),
    ("e2e", &["testing"]),
];

/// What a service is made of.
const SERVICE: [&str; 11] = [
    "apidocs",
    "contracts",
    "messaging",
    "metrics",
    "mongo",
    "paging",
    "process",
    "service",
    "sqlite",
    "trace",
    "webserver",
];

/// The tools that look into a stopped system read the files of both services.
const INSPECT: [&str; 8] =
    ["contracts", "eventservice", "bookingservice", "load", "messaging", "process", "rest", "sqlite"];

/// The command line may use both services, and every tool.
const MYEVENTS: [&str; 14] = [
    "bridge",
    "inbox",
    "contracts",
    "eventservice",
    "bookingservice",
    "inspect",
    "load",
    "messaging",
    "page",
    "process",
    "rest",
    "service",
    "sqlite",
    "stories",
];

/// What the tests and benchmarks of a crate may use besides.
const TESTS: [(&str, &[&str]); 5] = [
    ("bridge", &["inbox"]),
    ("messaging", &["sqlite"]),
    ("amqp", &["sqlite"]),
    ("mongo", &["paging", "sqlite"]),
    ("load", &["amqp", "contracts", "eventservice", "bookingservice", "messaging", "service", "sqlite", "trace"]),
];

/// Which crate from outside may be named only where: a folder with all in it, or a file.
const SEAMS: [(&str, &[&str]); 4] = [
    ("rusqlite", &["platform/sqlite/src/", "eventservice/src/store/", "bookingservice/src/store/"]),
    ("mongodb", &["platform/mongo/src/", "eventservice/src/store/", "bookingservice/src/store/"]),
    // As a text, too, since its log must be silent.
    ("lapin", &["platform/amqp/src/", "platform/process/src/telemetry.rs"]),
    ("procfs", &["platform/process/src/metrics/"]),
];

/// Each crate of the workspace with the names of all crates it depends on: for `kinds` of cargo's, where `normal` is what
/// it is made of.
fn dependencies(kinds: &[&str]) -> BTreeMap<String, BTreeSet<String>> {
    let metadata = metadata(&["--no-deps"]).unwrap();
    let name = |value: &Value| value["name"].as_str().unwrap().to_owned();
    let counts = |one: &&Value| kinds.contains(&one["kind"].as_str().unwrap_or("normal"));
    let used = |package: &Value| package["dependencies"].as_array().unwrap().iter().filter(counts).map(name).collect();
    metadata["packages"].as_array().unwrap().iter().map(|package| (name(package), used(package))).collect()
}

/// What cargo says of the workspace, or why it cannot.
fn metadata(options: &[&str]) -> Result<Value, String> {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.current_dir(workspace()).args(["metadata", "--format-version", "1", "--locked"]).args(options);
    let output = cargo.output().unwrap();
    serde_json::from_slice(&output.stdout).map_err(|_| String::from_utf8_lossy(&output.stderr).into_owned())
}

/// Crates that refuse to be built elsewhere say so in their names; rustix leaves `linux-raw-sys` out by itself.
#[test]
fn nothing_that_is_for_linux_alone_is_used_elsewhere() {
    let for_linux = |target: &str| -> Result<Vec<String>, String> {
        let metadata = metadata(&["--filter-platform", target])?;
        let names = metadata["packages"].as_array().unwrap().iter().map(|package| package["name"].as_str().unwrap());
        let words = ["linux", "procfs", "inotify", "uring", "systemd", "seccomp", "landlock"];
        Ok(names.filter(|name| words.iter().any(|word| name.contains(word))).map(str::to_owned).collect())
    };
    for (target, found) in [("aarch64-apple-darwin", false), ("x86_64-unknown-linux-gnu", true)] {
        match for_linux(target) {
            Ok(names) => assert_eq!(!names.is_empty(), found, "{target}: {names:?}"),
            Err(cause) => return not_run(&format!("the crates of {target} (cargo fetch, with a network): {cause}")),
        }
    }
}

#[test]
fn the_filter_of_the_log_knows_every_crate_that_may_log() {
    let filter = std::fs::read_to_string(workspace().join("platform/process/src/telemetry.rs")).unwrap();
    let list = filter.split_once("const OURS").unwrap().1.split_once("= [").unwrap().1.split_once("];").unwrap().0;
    let known: BTreeSet<_> = list.split('"').skip(1).step_by(2).collect();
    let all: BTreeSet<_> =
        ARROWS.iter().map(|(name, _)| *name).filter(|name| !["testing", "e2e"].contains(name)).collect();
    assert_eq!(known, all);
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
            assert!(
                tests || here || !names(&code(without_tests(&source)), word),
                "{file} names {word}, which is for {places:?}"
            );
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
            let place =
                places.iter().any(|place| Path::new(place).starts_with(&here)) || ["testing", "e2e"].contains(&&*name);
            assert!(place || !used.contains(word), "{name} depends on {word}");
        }
    }
}
