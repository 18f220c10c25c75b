//! The dashboards' queries against what a running system really exports: the values of labels, which service has it, and whether it is
//! added up or not. That names and labels exist is the business of [`crate::catalogue`].

use std::collections::BTreeSet;

use e2e::{
    Exposition, System,
    catalogue::{self, Part},
    dashboard::{Dashboard, Query, all, exporters},
    promql::{Aggregation, Selector, selectors},
};
use serde_json::json;

fn queries() -> Vec<Query> {
    all().iter().flat_map(Dashboard::queries).collect()
}

/// What an embedded system exports, each series' name as it stands in the text form. There a native histogram has no series.
struct Exported {
    metrics: Vec<Exposition>,
    names: BTreeSet<String>,
}

impl Exported {
    async fn by(system: &System) -> Self {
        let parts = [Part::Service, Part::Sqlite, Part::Events, Part::Bookings];
        let all = catalogue::all().into_iter().filter(|metric| parts.contains(&Part::of(&metric.file)));
        let names = all.flat_map(|metric| metric.series()).map(|(name, _)| name).collect();
        Self { metrics: vec![system.events_ops.metrics().await, system.bookings_ops.metrics().await], names }
    }

    fn has(&self, selector: &Selector) -> bool {
        self.names.contains(&selector.metric)
    }

    /// In which services there are series of this metric with these labels.
    fn found(&self, selector: &Selector, labels: &[(&str, &str)]) -> usize {
        let native = format!("{}_count", selector.metric);
        let names = [selector.metric.as_str(), &native];
        let has = |one: &&Exposition| names.iter().any(|name| one.samples(name, labels).next().is_some());
        self.metrics.iter().filter(has).count()
    }
}

#[tokio::test]
async fn every_value_that_a_query_names_is_exported() {
    let system = System::start();
    // The only series that is not there from the start is that of an event's bookings.
    let event = json!({"name": "One", "start_date": "2100-01-01T18:00:00Z", "end_date": "2100-01-01T20:00:00Z"});
    system.events.post("/events", &event).await.expect(201);
    // And those of quantiles, which begin with the first answer.
    system.bookings.get("/bookings").await;
    let booked = async || {
        let metrics = system.bookings_ops.metrics().await;
        metrics.samples("myevents_bookings_count", &[]).next().map(|_| ())
    };
    e2e::eventually(e2e::SOON, "the event's own series", booked).await;

    let exported = Exported::by(&system).await;
    for query in queries() {
        let found = selectors(&query.expression);
        let is_constant = query.expression.starts_with("vector("); // what is promised, for example
        assert!(is_constant || !found.is_empty(), "{}: it asks for nothing", query.place);
        for selector in found.into_iter().filter(|selector| exported.has(selector)) {
            check_values(&query, &selector, &exported);
            check_job(&query, &selector, &exported);
        }
    }
}

/// There every panel has something to show without them.
#[test]
fn the_folder_myevents_asks_no_exporter_and_nothing_that_needs_mongodb() {
    for query in queries() {
        for selector in selectors(&query.expression) {
            let of_others =
                ["node_", "mongodb_", "myevents_mongodb_"].iter().any(|begins| selector.metric.starts_with(begins));
            assert!(!of_others, "{}: {}", query.place, selector.metric);
        }
    }
}

/// A dashboard of the folder Exporters is there always, and says how to start what it asks.
#[test]
fn a_panel_without_its_exporter_says_what_is_missing() {
    for dashboard in exporters() {
        for panel in dashboard.panels() {
            let said = panel["fieldConfig"]["defaults"]["noValue"].as_str().unwrap_or_default();
            assert!(said.contains("docker compose") || said.starts_with("No"), "{}: {said}", dashboard.place(panel));
        }
    }
}

/// A value that is asked for by `=` must exist: `result="confirmd"` would select nothing, for ever.
fn check_values(query: &Query, selector: &Selector, exported: &Exported) {
    let own = |name: &str| name != "job" && name != "instance";
    let exact = selector.matchers.iter().filter(|(name, how, _)| how == "=" && own(name));
    let exact: Vec<_> = exact.map(|(name, _, value)| (name.as_str(), value.as_str())).collect();
    assert!(exported.found(selector, &exact) > 0, "{}: nothing has {exact:?} of {}", query.place, selector.metric);
}

/// What one service alone exports must not follow the choice of Job: with the other one chosen it would be "No data".
fn check_job(query: &Query, selector: &Selector, exported: &Exported) {
    if !selector.matchers.iter().any(|(_, _, value)| value == "$job") {
        return;
    }
    let own = |name: &str, how: &str, value: &str| name != "job" && how == "=" && !value.starts_with('$');
    let own = selector.matchers.iter().filter(|(name, how, value)| own(name, how, value));
    let own: Vec<_> = own.map(|(name, _, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(
        exported.found(selector, &own),
        2,
        "{}: not both services export {} {own:?}",
        query.place,
        selector.metric
    );
}

#[test]
fn what_is_of_the_process_is_added_up_and_what_is_of_the_store_is_not() {
    let of_the_store = catalogue::of_the_store();
    for query in queries() {
        for selector in selectors(&query.expression) {
            let place = format!("{}: {} in {}", query.place, selector.metric, query.expression);
            let Some(around) = &selector.aggregation else { panic!("{place}: it is not aggregated") };
            if selector.metric.contains(':') {
                continue; // a share, recorded for each service: there is nothing to add up
            }
            if of_the_store.contains(&selector.metric) {
                assert_eq!(around.operator, "max", "{place}: all replicas report the same");
            } else {
                assert!(adds_up(around), "{place}: replicas are added up, or shown one by one");
            }
        }
    }
}

/// `max by (instance)` has one process in each group, so nothing is thrown away.
fn adds_up(around: &Aggregation) -> bool {
    let one_by_one = ["min", "max"].contains(&around.operator.as_str()) && around.by.iter().any(|by| by == "instance");
    one_by_one || ["sum", "count"].contains(&around.operator.as_str())
}

#[test]
fn a_rate_is_over_grafanas_own_interval_and_no_bucket_is_named_by_a_whole_number() {
    for query in queries() {
        let place = format!("{}: {}", query.place, query.expression);
        for range in query.expression.split('[').skip(1).filter_map(|rest| rest.split(']').next()) {
            assert!(["$__rate_interval", "$__range"].contains(&range), "{place}: {range}");
        }
        // Prometheus 2 stores le="1", Prometheus 3 le="1.0": such a query finds nothing in one of the two.
        let named = selectors(&query.expression).into_iter().flat_map(|one| one.matchers);
        assert!(!named.into_iter().any(|(name, _, value)| name == "le" && !value.contains('.')), "{place}");
    }
}
