//! How a file opens, how large a file and a crate may be, and which files a service has.

use std::{collections::BTreeMap, fs, process::Command};

use e2e::{
    dashboard::workspace,
    sources::{crates, sources, without_tests},
};

/// The lines that a file, or the sources of a crate, stay below: what can be read at one sitting.
fn stays_below(name: &str) -> usize {
    match name {
        "myevents" => 1_000,
        "tutorial/random" => 200, // the shortest example that there is
        room if !room.ends_with(".rs") => 2_500,
        app if app.ends_with("service/src/app.rs") => 50,
        rules if rules.contains("service/src/domain/") && !rules.ends_with("/tests.rs") => 100,
        _ => 301,
    }
}

/// The lines of every file, and of each crate but the services and what is for tests. Of a crate only `src/` counts, and of a file of
/// rules its tests do not.
fn lines() -> BTreeMap<String, usize> {
    let mut lines: BTreeMap<String, usize> = BTreeMap::new();
    for (file, source) in sources() {
        let counted = if file.contains("service/src/domain/") { without_tests(&source) } else { &source };
        let counted = counted.lines().count();
        if let Some((of, _)) = file.split_once("/src/").filter(|(of, _)| of.contains('/') || *of == "myevents") {
            *lines.entry(of.to_owned()).or_default() += counted;
        }
        lines.insert(file, counted);
    }
    lines
}

#[test]
fn no_file_and_no_crate_is_larger_than_it_may_be() {
    let lines = lines();
    assert!(lines.keys().filter(|name| name.starts_with("platform/") && !name.ends_with(".rs")).count() >= 8);
    let too_large: Vec<_> = lines.iter().filter(|(name, count)| **count >= stays_below(name)).collect();
    assert!(too_large.is_empty(), "too many lines: {too_large:?}");
}

/// A crate for everything has no idea of its own: nobody knows what belongs there, and all depend on it.
#[test]
fn no_crate_is_for_everything() {
    for folder in crates() {
        let name = folder.file_name().unwrap().to_str().unwrap().to_owned();
        assert!(!["common", "core", "helpers", "misc", "shared", "util", "utils"].contains(&name.as_str()), "{name}");
    }
}

#[test]
fn who_knows_one_service_knows_both() {
    for service in ["eventservice", "bookingservice"] {
        for name in ["main", "lib", "config", "app", "domain", "metrics", "http", "store", "listener", "messages"] {
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

/// Files of binary data may have any bytes.
#[test]
fn no_clone_on_windows_has_other_line_ends() {
    let clone = tempfile::tempdir().unwrap();
    let mut git = Command::new("git");
    git.current_dir(workspace()).args(["-c", "core.autocrlf=true", "checkout-index", "--all", "--prefix"]);
    let output = git.arg(format!("{}/", clone.path().display())).output();
    if !output.is_ok_and(|output| output.status.success()) {
        return e2e::not_run("the line ends of a clone on Windows (needs git, and a clone)");
    }
    let (mut seen, mut folders) = (0, vec![clone.path().to_owned()]);
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_none_or(|end| end != "png") {
                seen += 1;
                assert!(!fs::read(&path).unwrap().contains(&b'\r'), "{}", path.display());
            }
        }
    }
    assert!(seen > 500, "only {seen} files");
}

/// The paths of files that a text names.
fn named(text: &str) -> Vec<String> {
    let quoted = text.split('`').skip(1).step_by(2).filter(|name| name.contains('/') && name.ends_with(".rs"));
    quoted.filter(|name| !name.contains(['{', '*', ' '])).map(str::to_owned).collect()
}

#[test]
fn every_file_that_the_architecture_names_is_there() {
    let named = named(&std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap());
    assert!(named.len() > 60, "{named:?}");
    for name in named {
        assert!(workspace().join(&name).is_file(), "ARCHITECTURE.md names {name}");
    }
}

/// `.ci/walk` finds them by a coverage run. Here only the number is compared with the list.
#[test]
fn the_walk_of_one_booking_names_as_many_files_as_it_says() {
    let text = std::fs::read_to_string(workspace().join("ARCHITECTURE.md")).unwrap();
    let walk = text.split("\n## ").find(|part| part.starts_with("One booking, file by file")).unwrap();
    let said: usize = walk.split("It enters ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert_eq!(named(walk).into_iter().collect::<std::collections::BTreeSet<_>>().len(), said);
    assert!(said <= 43, "{said}");
    // Apart, most files are those of the first walk, named there.
    let apart: usize = text.split("run apart, enters ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
    assert!(apart <= 58, "{apart}");
}
