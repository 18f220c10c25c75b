//! Every query of the dashboards that move with what users do, asked of a running Prometheus: a panel that shows nothing, or the
//! same whatever happens, is found here and not by a reader.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Instant,
};

use e2e::{
    Api,
    dashboard::{Dashboard, Query, moving, with_values, with_values_over},
    prometheus::{Prometheus, Series},
    promql::selectors,
};

use crate::constants::CONSTANTS;

/// What each expression gave.
pub(crate) type Values = BTreeMap<String, Vec<Series>>;

fn queries() -> Vec<Query> {
    moving().iter().flat_map(Dashboard::queries).collect()
}

/// All expressions once.
pub(crate) async fn values(prometheus: &Prometheus) -> Values {
    let mut values = Values::new();
    for query in queries() {
        values.insert(query.expression.clone(), prometheus.query(&with_values(&query.expression)).await);
    }
    values
}

/// Waits until every selector has a series and every expression a number.
pub(crate) async fn all_show_something(prometheus: &Prometheus, deadline: Instant) {
    loop {
        let missing = empty(prometheus).await;
        if missing.is_empty() {
            return;
        }
        assert!(Instant::now() < deadline, "not within a minute of `up`:\n{}", missing.join("\n"));
        tokio::time::sleep(std::time::Duration::from_secs(1)).await;
    }
}

async fn empty(prometheus: &Prometheus) -> Vec<String> {
    let mut missing = Vec::new();
    for query in queries() {
        for selector in selectors(&with_values(&query.expression)) {
            // There is none while all is well; the expression itself says so in a word.
            if selector.metric == "ALERTS" {
                continue;
            }
            if prometheus.query(&selector.text()).await.is_empty() {
                missing.push(format!("{}: no series {}", query.place, selector.text()));
            }
        }
        let found = prometheus.query(&with_values(&query.expression)).await;
        if !found.iter().any(|one| one.value.is_finite()) {
            missing.push(format!("{}: no value of {}", query.place, query.expression));
        }
    }
    missing
}

pub(crate) fn none_is_nan_or_infinite(values: &Values) {
    for (expression, found) in values {
        for series in found {
            assert!(series.value.is_finite(), "{expression}: {series:?}");
        }
    }
}

/// What *Bookings* shows for a period that is longer than the stack is old, beside what the service itself has counted: to the
/// last one, from the first, although Prometheus came when there were some already.
pub(crate) async fn bookings_are_shown_to_the_last_one(prometheus: &Prometheus, bookings_ops: &Api) {
    let here = |query: &Query| query.place.ends_with("\"Bookings\"") && query.expression.contains("$__range");
    let bookings = queries().into_iter().find(here);
    let shown = prometheus.query(&with_values_over("1h", &bookings.unwrap().expression)).await;
    let counted = bookings_ops.metrics().await.sum("myevents_bookings_accepted_total", &[]);
    assert!(counted > 0.5 && shown.len() == 1 && (shown[0].value - counted).abs() < 0.1, "{counted}: {shown:?}");
}

/// A panel that shows the same at idle and under load says nothing, but for those on the list, which must have their value.
pub(crate) fn differ_or_are_listed(loaded: &Values, idle: &Values) {
    assert!(CONSTANTS.len() <= 10, "the list is for exceptions");
    let mut wrong = Vec::new();
    for (expression, before) in loaded {
        let after = &idle[expression];
        match CONSTANTS.iter().find(|constant| constant.expression == of_all(expression)) {
            Some(constant) => {
                for (when, found, right) in
                    [("under load", before, &constant.under_load), ("at idle", after, &constant.at_idle)]
                {
                    let outside = found.iter().filter(|one| !right.contains(&one.value));
                    wrong.extend(outside.map(|one| format!("{when}, {expression} is not {}: {one:?}", constant.why)));
                }
            }
            // What fires is shown by the drills.
            None if expression.contains("ALERTS{") => {}
            None if same(before, after) => wrong.push(format!("{expression} is the same: {before:?}")),
            None => {}
        }
    }
    let asked: BTreeSet<_> = loaded.keys().map(|expression| of_all(expression)).collect();
    let listed = CONSTANTS.iter().filter(|constant| !asked.contains(constant.expression));
    wrong.extend(listed.map(|constant| format!("on the list, but on no panel: {}", constant.expression)));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// A tile asks for one service or its queue; the same of both stands on the list.
fn of_all(expression: &str) -> String {
    let mut all = expression.to_owned();
    for one in ["eventservice", "bookingservice"] {
        all = all.replace(&format!("job=\"{one}\",job"), "job");
        all = all.replace(&format!("myevents_dead_letters{{queue=\"{one}\"}}"), "myevents_dead_letters");
        all = all.replace(&format!("queue=\"{one}\""), "queue=~\"eventservice|bookingservice\"");
    }
    all
}

fn same(before: &[Series], after: &[Series]) -> bool {
    let key = |found: &[Series]| -> BTreeMap<String, f64> {
        found.iter().map(|one| (format!("{:?}", one.labels), one.value)).collect()
    };
    let (before, after) = (key(before), key(after));
    before.len() == after.len()
        && before.iter().all(|(key, value)| after.get(key).is_some_and(|v| (v - value).abs() < 1e-9))
}
