//! No two files of a crate use each other, neither directly nor through others: a reader can begin at one end.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
};

use e2e::sources::crates;

use crate::uses::uses;

/// The root file of each crate, and of each test and benchmark that has a folder.
fn roots() -> Vec<PathBuf> {
    let mut folders: Vec<_> = crates().into_iter().map(|folder| folder.join("src")).collect();
    for folder in crates().iter().flat_map(|folder| [folder.join("tests"), folder.join("benches")]) {
        folders.extend(fs::read_dir(folder).into_iter().flatten().map(|entry| entry.unwrap().path()));
    }
    let files = folders.iter().flat_map(|folder| ["lib.rs", "main.rs"].map(|name| folder.join(name)));
    files.filter(|file| file.is_file()).collect()
}

type Uses = BTreeMap<String, BTreeSet<String>>;

/// All that a file uses, directly or through others.
fn reached<'u>(file: &str, uses: &'u Uses) -> BTreeSet<&'u str> {
    let (mut reached, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        for used in &uses[file] {
            if reached.insert(used.as_str()) {
                next.push(used);
            }
        }
    }
    reached
}

/// Files that reach each other.
fn circles(uses: &Uses) -> BTreeSet<Vec<&str>> {
    let all: BTreeMap<_, _> = uses.keys().map(|file| (file.as_str(), reached(file, uses))).collect();
    let circle = |file: &&str| all[file].iter().copied().filter(|other| all[other].contains(file)).collect::<Vec<_>>();
    all.keys().map(circle).filter(|circle| !circle.is_empty()).collect()
}

#[test]
fn no_files_use_each_other() {
    let all: Vec<Uses> = roots().iter().map(|root| uses(root)).collect();
    assert!(all.iter().flatten().count() > 300, "not all files are found");
    let how = |circle: Vec<&str>| {
        let line = |file: &&str| {
            let used = all.iter().find_map(|uses| uses.get(*file)).unwrap();
            let used: Vec<_> = used.iter().filter(|used| circle.contains(&used.as_str())).collect();
            format!("  {file} uses {used:?}")
        };
        circle.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    let found: Vec<_> = all.iter().flat_map(circles).map(how).collect();
    assert!(found.is_empty(), "these files use each other:\n{}", found.join("\n\n"));
}

#[test]
fn a_circle_is_found_however_long_it_is() {
    let uses: Uses = [("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"), ("e", "f"), ("f", "")]
        .map(|(file, used)| (file.to_owned(), (!used.is_empty()).then(|| used.to_owned()).into_iter().collect()))
        .into();
    assert_eq!(circles(&uses), BTreeSet::from([vec!["a", "b", "c"]]));
}
