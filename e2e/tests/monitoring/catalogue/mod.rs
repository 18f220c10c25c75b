//! Each metric is written once, in the code. Here every query is held to it, and `docs/metrics.md` is made of it.
//!
//! - [`uses`]: who asks for a metric; those for which nobody asks are marked
//! - [`page`] writes `docs/metrics.md`

mod page;
mod uses;

use std::collections::{BTreeMap, BTreeSet};

use e2e::{
    asked::{Asked, everything, our_names, texts},
    catalogue::{self, ELSEWHERE},
    promql::{aggregations, joins, selectors},
};

/// Words that begin like a metric and are none, and what they are.
const NO_METRICS: [(&str, &str); 1] = [("myevents_myevents", "the network of Compose")];

type Series = BTreeMap<String, BTreeSet<String>>;

/// What an expression names and nothing has.
fn wrong(expression: &str, series: &Series) -> Vec<String> {
    let some = |label: &str| label == "__name__" || series.values().any(|labels| labels.contains(label));
    let joins = joins(expression);
    let left = aggregations(expression).into_iter().flat_map(|around| around.by);
    let labels = joins.on.iter().chain(&joins.carried).cloned().chain(left);
    let unknown = labels.filter(|label| !some(label)).map(|label| format!("nothing has a label {label}"));
    let mut wrong: Vec<_> = unknown.collect();
    for selector in selectors(expression) {
        let found: Vec<_> =
            series.iter().filter(|(name, _)| selector.selects(name)).map(|(_, labels)| labels).collect();
        let by_name = !selector.metric.is_empty() || selector.matchers.iter().any(|(name, ..)| name == "__name__");
        if by_name && found.is_empty() {
            wrong.push(format!("nobody exports {}", selector.text()));
            continue;
        }
        let left = selector.aggregation.iter().flat_map(|around| &around.by);
        let left = left.filter(|label| !joins.carried.contains(label));
        let named = selector.matchers.iter().map(|(name, ..)| name).chain(left).filter(|label| *label != "__name__");
        let has = |label: &str| found.iter().any(|labels| labels.contains(label)) || (!by_name && some(label));
        wrong
            .extend(named.filter(|label| !has(label)).map(|label| format!("{} has no label {label}", selector.text())));
    }
    wrong
}

#[test]
fn every_query_names_metrics_and_labels_that_exist() {
    let (series, mut all) = (catalogue::series(), Vec::new());
    for Asked { place, expression, .. } in everything() {
        all.extend(wrong(&expression, &series).into_iter().map(|what| format!("{place}: {what}: {expression}")));
    }
    assert!(all.is_empty(), "{}", all.join("\n"));
}

#[test]
fn a_name_or_label_that_nothing_has_is_found() {
    let labels = |text: &str| text.split(' ').map(str::to_owned).collect();
    let series = Series::from([("a_total".to_owned(), labels("job x")), ("b".to_owned(), labels("job n"))]);
    for right in [
        "sum by (x) (rate(a_total[1m]))",
        r#"count by (__name__) ({job="j"})"#,
        r#"{__name__=~"a_total|b",x="1"}"#,
        "sum by (n) (a_total * on (job) group_left (n) b)",
    ] {
        assert_eq!(wrong(right, &series), Vec::<String>::new(), "{right}");
    }
    for found in [
        "rate(a_totl[1m])",
        "sum by (y) (a_total)",
        "sum by (n) (a_total)",
        r#"b{x="1"}"#,
        "a_total * on (jb) group_left (n) b",
        "sum by (y) (max by (x) (a_total))",
        r#"{__name__=~"c|d"}"#,
    ] {
        assert!(!wrong(found, &series).is_empty(), "{found}");
    }
}

#[test]
fn every_metric_that_a_text_speaks_of_exists() {
    let (series, all) = (catalogue::series(), catalogue::all());
    let exists = |name: &str| series.contains_key(name) || all.iter().any(|metric| metric.name == name);
    let mut wrong = Vec::new();
    for (file, text) in texts() {
        let names = our_names(&text).into_iter().filter(|name| !NO_METRICS.iter().any(|(none, _)| none == name));
        wrong.extend(names.filter(|name| !exists(name)).map(|name| format!("{file}: {name}")));
    }
    assert!(wrong.is_empty(), "no metrics: {}", wrong.join("\n"));
}

#[test]
fn every_metric_of_others_that_is_listed_is_asked_for() {
    let asked: Vec<_> = everything().iter().flat_map(|one| selectors(&one.expression)).collect();
    for (name, _) in ELSEWHERE {
        assert!(asked.iter().any(|selector| selector.selects(name)), "nobody asks for {name}");
    }
}

#[test]
fn a_help_is_a_sentence_and_says_it_where_a_metric_is_of_the_store() {
    for metric in catalogue::all() {
        assert!(metric.help.len() > 6 && metric.help.ends_with('.'), "{}: {}", metric.name, metric.help);
        let says = metric.help.to_lowercase().contains("of the store");
        assert_eq!(says, metric.of_the_store(), "{}: {}", metric.name, metric.help);
    }
    assert!(catalogue::of_the_store().len() >= 8);
}
