//! The words of the page: both languages have the same ones, with the same gaps to fill, and what the scripts ask for is there; and what
//! no script may say.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::{Path, PathBuf},
};

/// A key, and the names in braces of its words.
type Words = BTreeMap<String, BTreeSet<String>>;

fn web() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("web")
}

/// One `'key': …,` a line, as i18n.js wants it.
fn words(name: &str) -> Words {
    let text = fs::read_to_string(web().join("words").join(name)).unwrap();
    let entries = text.lines().filter_map(|line| line.trim().strip_prefix('\'')?.split_once("': "));
    entries.map(|(key, words)| (key.to_owned(), gaps(words))).collect()
}

/// The `name` of each `{name}`. A plural is an object, whose own braces have a space after them.
fn gaps(words: &str) -> BTreeSet<String> {
    let parts = words.split('{').skip(1).filter_map(|part| part.split_once('}'));
    parts.map(|(name, _)| name.to_owned()).filter(|name| !name.contains(' ')).collect()
}

/// What stands between `t(` and the next quote of the same kind.
fn asked(script: &str, quote: char) -> Vec<&str> {
    let opening = format!("t({quote}");
    let of_t = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
    let places = script.match_indices(&opening).filter(|(at, _)| of_t(&script[..*at]));
    places.filter_map(|(at, _)| script[at + opening.len()..].split(quote).next()).collect()
}

/// Each script of ours, with its place.
fn scripts() -> impl Iterator<Item = (PathBuf, String)> {
    let paths = fs::read_dir(web()).unwrap().map(|entry| entry.unwrap().path());
    let scripts = paths.filter(|path| path.extension().is_some_and(|end| end == "js"));
    scripts.map(|path| (path.clone(), fs::read_to_string(path).unwrap()))
}

#[test]
fn both_languages_have_the_same_words_with_the_same_gaps() {
    for (english, chinese) in [("en.js", "zh.js"), ("en-watch.js", "zh-watch.js")] {
        let (english, chinese): (BTreeSet<_>, BTreeSet<_>) =
            (words(english).into_iter().collect(), words(chinese).into_iter().collect());
        assert!(english.len() > 20, "{} words", english.len());
        let differ: Vec<_> = english.symmetric_difference(&chinese).collect();
        assert!(differ.is_empty(), "not the same in both: {differ:?}");
    }
}

#[test]
fn each_word_that_a_script_asks_for_is_there() {
    let mut known = words("en.js");
    known.extend(words("en-watch.js"));
    let mut count = 0;
    for (path, script) in scripts() {
        for key in asked(&script, '\'') {
            assert!(known.contains_key(key), "{}: {key}", path.display());
            count += 1;
        }
        for pattern in asked(&script, '`') {
            let begin = pattern.split("${").next().unwrap_or_default();
            assert!(known.keys().any(|key| key.starts_with(begin)), "{}: {pattern}", path.display());
        }
    }
    let html = fs::read_to_string(web().join("index.html")).unwrap();
    for opening in ["data-t=\"", "data-label=\""] {
        for key in html.split(opening).skip(1).filter_map(|part| part.split('"').next()) {
            assert!(known.contains_key(key), "index.html: {key}");
        }
    }
    assert!(count > 100, "{count} words asked for");
}

/// Names of events are text: a script that makes elements of texts would make some of a name, too.
#[test]
fn no_script_makes_elements_or_code_of_a_text() {
    let mut count = 0;
    for (path, script) in scripts() {
        count += 1;
        for word in
            ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function", "srcdoc"]
        {
            assert!(!script.contains(word), "{} says {word}", path.display());
        }
    }
    assert!(count > 20, "only {count} scripts");
}
