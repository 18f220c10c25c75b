//! Who asks for a metric: a panel, a rule, a runbook. What nobody asks for is counted for nothing, so it is marked, with a reason.

use std::collections::{BTreeMap, BTreeSet};

use e2e::{
    asked::{Asked, By, everything},
    catalogue::{self, Metric},
    promql::selectors,
};

/// How the names begin of metrics for which nothing here asks, and why they are exported all the same. At most ten.
pub(super) const UNUSED: &[(&str, &str)] = &[
    ("micro_", "for dashboards that people bring along"),
    ("myevents_load_", "at a Pushgateway that people start: for who asks there how a load ended"),
    ("myevents_locations_created_total", "locations are created once, and no fault shows in them"),
    ("myevents_log_lines_dropped_total", "who reads logs sees the number there, and users notice nothing"),
    ("rpc_", "the demo is for readers of the article, who ask by hand"),
    ("process_virtual_memory_max_bytes", "every client of Prometheus exports it"),
];

/// Who asks for what.
pub(super) struct Uses {
    asked: Vec<(By, Vec<e2e::promql::Selector>)>,
}

impl Uses {
    pub(super) fn read() -> Self {
        let asked = everything().into_iter().filter(|asked| asked.by != By::Name);
        Self { asked: asked.map(|Asked { by, expression, .. }| (by, selectors(&expression))).collect() }
    }

    /// All who ask for a metric, also for what is recorded of it.
    pub(super) fn of(&self, metric: &Metric) -> BTreeSet<By> {
        let (mut users, mut names) = (BTreeSet::new(), metric.series().into_iter().map(|(name, _)| name).collect());
        while let Some(name) = Vec::pop(&mut names) {
            for (by, _) in self.asked.iter().filter(|(_, found)| found.iter().any(|one| one.selects(&name))) {
                let new = users.insert(by.clone());
                names.extend(recorded(by).filter(|_| new));
            }
        }
        users
    }
}

fn recorded(by: &By) -> Option<String> {
    if let By::Recorded(name) = by { Some(name.clone()) } else { None }
}

/// The mark of a metric.
pub(super) fn mark(metric: &Metric) -> Option<&'static str> {
    UNUSED.iter().find(|(begins, _)| metric.name.starts_with(begins)).map(|(_, why)| *why)
}

#[test]
fn every_metric_is_used_or_marked_with_the_reason() {
    assert!(UNUSED.len() <= 10, "the list is for exceptions");
    let (uses, mut marked, mut wrong) = (Uses::read(), BTreeMap::<_, usize>::new(), Vec::new());
    for metric in catalogue::all() {
        let mark = mark(&metric);
        *marked.entry(mark).or_default() += 1;
        if uses.of(&metric).is_empty() == mark.is_none() {
            wrong.push(metric.name);
        }
    }
    assert!(wrong.is_empty(), "used by nothing and not marked, or marked and used: {}", wrong.join(", "));
    let all: Vec<_> = UNUSED.iter().map(|(_, why)| Some(*why)).filter(|why| !marked.contains_key(why)).collect();
    assert!(all.is_empty(), "marks of nothing: {all:?}");
}
