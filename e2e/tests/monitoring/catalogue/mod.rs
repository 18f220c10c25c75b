//! Each metric is written once, in the code. Here every query is held to it, and `docs/metrics.md` is made of it.
//!
//! - [`uses`]: who asks for a metric; those for which nobody asks are marked
//! - [`page`] writes `docs/metrics.md`

mod page;
mod uses;

use e2e::{
    asked::{Asked, everything, our_names, texts},
    catalogue::{self, ELSEWHERE},
    promql::{joins, selectors},
};

/// Words that begin like a metric and are none, and what they are.
const NO_METRICS: [(&str, &str); 1] = [("myevents_myevents", "the network of Compose")];

#[test]
fn every_query_names_metrics_and_labels_that_exist() {
    let (series, mut wrong) = (catalogue::series(), Vec::new());
    let some = |label: &String| series.values().any(|labels| labels.contains(label));
    for Asked { place, expression, .. } in everything() {
        let joins = joins(&expression);
        let unknown = joins.on.iter().chain(&joins.carried).filter(|label| !some(label));
        wrong.extend(unknown.map(|label| format!("{place}: nothing has a label {label}: {expression}")));
        for selector in selectors(&expression) {
            let found: Vec<_> = series.iter().filter(|(name, _)| selector.selects(name)).collect();
            let by_name = !selector.metric.is_empty() || selector.matchers.iter().any(|(name, ..)| name == "__name__");
            if by_name && found.is_empty() {
                wrong.push(format!("{place}: nobody exports {}: {expression}", selector.text()));
            }
            let left = selector.aggregation.iter().flat_map(|around| &around.by);
            let left = left.filter(|label| !joins.carried.contains(label));
            for label in selector.matchers.iter().map(|(name, ..)| name).chain(left) {
                let exists = found.iter().any(|(_, labels)| labels.contains(label)) || (!by_name && some(label));
                if !exists && label != "__name__" {
                    wrong.push(format!("{place}: {} has no label {label}: {expression}", selector.text()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
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
