//! Tests of rules are worth what they find: each rule is changed a little, and its tests must go red. `.ci/rule-mutations` runs it, since
//! it starts promtool a thousand times.
//!
//! - [`mutants`]: the changes
//! - [`survivors`]: those that no test can see, with the reason
//! - [`versions`]: the right rules, in every promtool that people have
#![expect(clippy::unwrap_used, reason = "a test may panic")]

mod mutants;
mod survivors;
mod versions;

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    sync::Mutex,
    thread,
};

use e2e::rules::{self, Rule, Tests, promtool};
use mutants::{ENOUGH, Mutant};
use survivors::SURVIVORS;
use tempfile::TempDir;
use versions::today;

/// The tests that look at a rule, and at it alone where their names say so.
struct Aim {
    run: Option<String>,
    files: Vec<String>,
}

fn tests_of<'t>(file: &'t str, tests: &'t [Tests]) -> impl Iterator<Item = &'t Tests> {
    tests.iter().filter(move |tests| tests.rules.first().is_some_and(|first| first == file))
}

fn aim(rule: &Rule, tests: &[Tests]) -> Aim {
    let own: Vec<_> = tests_of(&rule.file, tests).collect();
    let files = own.iter().map(|tests| tests.path.file_name().unwrap().to_string_lossy().into_owned()).collect();
    let windows = |end: &str| rule.labels.get(end).map_or("", String::as_str);
    let run = match (rule.alert, windows("long_window")) {
        (true, "") => Some(format!("^{}, ", rule.name)),
        // Four alerts have one name; each has tests of its own.
        (true, long) => Some(format!("^{}, [a-z]+: over {long} and {},", rule.name, windows("short_window"))),
        (false, _) => {
            let start = format!("{}: ", rule.name);
            let named = own.iter().flat_map(|tests| &tests.cases).any(|case| case.name.starts_with(&start));
            named.then(|| format!("^{start}"))
        }
    };
    Aim { run, files }
}

/// A copy of rules and tests, to change them.
struct Copy(TempDir);

impl Copy {
    fn new() -> Self {
        let copy = Self(tempfile::tempdir().unwrap());
        for folder in ["rules", "tests"] {
            fs::create_dir(copy.0.path().join(folder)).unwrap();
            for file in rules::files(folder) {
                fs::copy(&file, copy.path(folder, &file.file_name().unwrap().to_string_lossy())).unwrap();
            }
        }
        copy
    }

    fn path(&self, folder: &str, file: &str) -> PathBuf {
        self.0.path().join(folder).join(file)
    }

    /// Whether its tests are green with it.
    fn survives(&self, tool: &Path, mutant: &Mutant, aim: &Aim) -> bool {
        let file = self.path("rules", &mutant.rule.file);
        let right = fs::read_to_string(&file).unwrap();
        fs::write(&file, &mutant.file).unwrap();
        let mut arguments = vec!["test", "rules"];
        arguments.extend(aim.run.iter().flat_map(|run| ["--run", run]));
        let files: Vec<_> = aim.files.iter().map(|name| self.path("tests", name)).collect();
        let result = promtool(tool, &arguments, &files);
        fs::write(&file, right).unwrap();
        let said = result.as_ref().err().map_or("", String::as_str);
        // Prometheus would not take it either, so it shows nothing.
        assert!(!said.contains("parse error") && !said.contains("could not parse"), "{}: {said}", mutant.what);
        result.is_ok()
    }
}

/// Those that no test saw, as `file, rule, change`.
fn survivors(tool: &Path, mutants: Vec<(Mutant, Aim)>) -> Vec<String> {
    let (next, found) = (Mutex::new(mutants.into_iter()), Mutex::new(Vec::new()));
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(2, usize::from) {
            scope.spawn(|| {
                let copy = Copy::new();
                loop {
                    let Some((mutant, aim)) = next.lock().unwrap().next() else { break };
                    if copy.survives(tool, &mutant, &aim) {
                        let Mutant { rule, what, .. } = mutant;
                        found.lock().unwrap().push(format!("{}, {}, {what}", rule.file, rule.name));
                    }
                }
            });
        }
    });
    let mut found = found.into_inner().unwrap();
    found.sort();
    found
}

fn mutants_of(all: &[Rule], texts: &BTreeMap<String, String>, tests: &[Tests]) -> Vec<(Mutant, Aim)> {
    let of = |rule: &Rule| {
        // What takes days is computed less often there: the shortest counts, of the files that have a test of this rule.
        let own = tests_of(&rule.file, tests)
            .filter(|tests| tests.cases.iter().any(|case| case.name.starts_with(&rule.name)));
        let interval = own.map(|tests| tests.interval.as_str()).min_by_key(|interval| mutants::seconds(interval));
        let interval = interval.unwrap_or("15s");
        mutants::of(rule, &texts[&rule.file], interval).into_iter().map(|mutant| {
            let aim = aim(&mutant.rule, tests);
            (mutant, aim)
        })
    };
    all.iter().flat_map(|rule| of(rule).collect::<Vec<_>>()).collect()
}

fn texts() -> BTreeMap<String, String> {
    let read = |path: PathBuf| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, fs::read_to_string(path).unwrap())
    };
    rules::files("rules").into_iter().map(read).collect()
}

#[test]
fn a_rule_that_is_a_little_wrong_is_seen_by_its_tests() {
    let Some(tool) = today() else { return };
    let all = rules::all();
    let mutants = mutants_of(&all, &texts(), &rules::tests());
    let count = mutants.len();
    let place = |rule: &Rule| (rule.file.clone(), rule.lines.start, rule.name.clone());
    let mut of_each: BTreeMap<_, usize> = all.iter().map(|rule| (place(rule), 0)).collect();
    mutants.iter().for_each(|(mutant, _)| *of_each.get_mut(&place(&mutant.rule)).unwrap() += 1);
    of_each.retain(|(.., name), mutants| *mutants < ENOUGH && name != "Watchdog"); // always true: its severity can be wrong, and a `for`
    assert!(of_each.is_empty(), "rules with fewer than {ENOUGH} mutants: {of_each:#?}");

    let survivors = survivors(&tool, mutants);
    println!("{} of {count} mutants of {} rules are killed", count - survivors.len(), all.len());
    for survivor in &survivors {
        println!("survives: {survivor}");
    }
    let known: Vec<_> = SURVIVORS.iter().map(|(what, _)| *what).collect();
    assert!(known.len() <= 5, "the list is for exceptions");
    assert_eq!(survivors, known);
}

/// So a rule that is added without a test does not go unseen.
#[test]
fn a_rule_without_a_test_is_found() {
    let Some(tool) = today() else { return };
    let planted = "      - alert: MyEventsPlanted\n        expr: up == 0\n        for: 2m\n        labels: { severity: warning, team: myevents }\n";
    let mut texts = texts();
    let text = texts.get_mut("targets.yml").unwrap();
    text.push_str(planted);
    let all = rules::rules("targets.yml", text).unwrap();
    let rule: Vec<_> = all.into_iter().filter(|rule| rule.name == "MyEventsPlanted").collect();
    let mutants = mutants_of(&rule, &texts, &rules::tests());
    let count = mutants.len();
    assert_eq!((count, survivors(&tool, mutants).len()), (6, 6), "no test looks at it");
}
