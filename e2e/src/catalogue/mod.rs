//! Every metric that a query of this repository may name. Ours are read from the code that registers them, so they are written once;
//! `docs/metrics.md` is made of it, and what a running system exports is compared with it.
//!
//! - [`registrations`](self): the calls in the sources; each is a [`Metric`]
//! - [`Part`]: which program exports it
//! - [`ELSEWHERE`]: the metrics of others

mod elsewhere;
mod metric;
mod part;
mod registrations;

use std::collections::{BTreeMap, BTreeSet};

pub use elsewhere::ELSEWHERE;
pub use metric::{Kind, Metric};
pub use part::Part;

use crate::{exposition::Exposition, promql::aggregations, rules};

/// What the scrape adds to each series.
const OF_THE_SCRAPE: [&str; 2] = ["job", "instance"];

/// The labels that a type gives to its series.
const NUMBERS: [&str; 2] = ["le", "quantile"];

/// Our own, each once, by part and name.
pub fn all() -> Vec<Metric> {
    let mut all = registrations::read();
    all.sort_by_key(|metric| (Part::of(&metric.file), metric.name.clone()));
    let mut seen = BTreeSet::new();
    for metric in &all {
        assert!(seen.insert(&metric.name), "{} is registered at two places", metric.name);
    }
    assert!(all.len() > 60, "only {} metrics are found", all.len());
    all
}

/// The names of those of which all replicas on one store show the same.
pub fn of_the_store() -> BTreeSet<String> {
    all().into_iter().filter(Metric::of_the_store).map(|metric| metric.name).collect()
}

/// Everything that a query may name, with its labels: our series, those of others, and what is recorded.
pub fn series() -> BTreeMap<String, BTreeSet<String>> {
    let mut series: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    let mut add = |name: String, labels: Vec<String>| {
        let labels = labels.into_iter().chain(OF_THE_SCRAPE.map(str::to_owned));
        series.entry(name).or_default().extend(labels);
    };
    all().iter().flat_map(Metric::series).for_each(|(name, labels)| add(name, labels));
    for (name, labels) in ELSEWHERE {
        add((*name).to_owned(), labels.split_whitespace().map(str::to_owned).collect());
    }
    // A recording rule leaves the labels that its aggregations name.
    for rule in rules::all().into_iter().filter(|rule| !rule.alert) {
        let left = aggregations(&rule.expression).into_iter().flat_map(|one| one.by);
        add(rule.name, left.chain(rule.labels.into_keys()).collect());
    }
    series
}

/// What a program with these parts exports otherwise than the catalogue says; nothing is right.
pub fn differences(metrics: &Exposition, parts: &[Part]) -> Vec<String> {
    let mut right: BTreeMap<_, _> = all().into_iter().map(|metric| (metric.name.clone(), metric)).collect();
    right.retain(|_, metric| parts.contains(&Part::of(&metric.file)));
    let mut wrong = Vec::new();
    for (name, family) in &metrics.families {
        let Some(metric) = right.remove(name) else {
            wrong.push(format!("{name} is exported, and not by one of {parts:?}"));
            continue;
        };
        if (family.kind.as_str(), &family.help) != (metric.kind.word(), &metric.help) {
            wrong.push(format!("{name} is a {}: {}", family.kind, family.help));
        }
        for sample in &family.samples {
            let labels: Vec<_> = sample.labels.keys().filter(|label| !NUMBERS.contains(&label.as_str())).collect();
            if labels != metric.labels.iter().collect::<Vec<_>>() {
                wrong.push(format!("{name} has the labels {labels:?}, not {:?}", metric.labels));
            }
        }
    }
    wrong.extend(right.into_keys().map(|name| format!("{name} is not exported")));
    wrong
}
