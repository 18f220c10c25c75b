//! Every query against what a running system really exports: the names, the labels, and whether it is added up or not.

use std::{
    borrow::Cow,
    collections::{BTreeMap, BTreeSet},
};

use e2e::{
    Exposition, System,
    dashboard::{Dashboard, Query, all, exporters, workspace},
    promql::{Aggregation, Selector, selectors},
};
use serde_json::json;

use crate::known::{ELSEWHERE, EXPORTED, NATIVE, OF_RABBITMQ, OF_THE_STORE, RECORDED};

fn queries() -> Vec<Query> {
    all().iter().flat_map(Dashboard::queries).collect()
}

/// Each name that can be asked for, with its labels. `job` and `instance` come from the scrape.
async fn exported(system: &System) -> (Vec<Exposition>, BTreeMap<String, BTreeSet<String>>) {
    let metrics = vec![system.events_ops.metrics().await, system.bookings_ops.metrics().await];
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for sample in metrics.iter().flat_map(|one| one.families.values()).flat_map(|family| &family.samples) {
        labels.entry(sample.name.clone()).or_default().extend(sample.labels.keys().cloned());
    }
    for name in NATIVE {
        labels.insert((*name).to_owned(), labels[in_text(name).as_ref()].clone());
    }
    for (name, own) in ELSEWHERE {
        labels.entry((*name).to_owned()).or_default().extend(own.iter().map(|label| (*label).to_owned()));
    }
    for (name, windows) in RECORDED {
        labels.extend(windows.iter().map(|window| (format!("{name}{window}"), BTreeSet::new())));
    }
    for found in labels.values_mut() {
        found.extend(["job".to_owned(), "instance".to_owned()]);
    }
    (metrics, labels)
}

/// Under which name the text form has what is asked for.
fn in_text(metric: &str) -> Cow<'_, str> {
    if NATIVE.contains(&metric) { format!("{metric}_count").into() } else { metric.into() }
}

#[tokio::test]
async fn every_query_names_metrics_and_labels_that_are_exported() {
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

    let (metrics, exported) = exported(&system).await;
    for query in queries() {
        let found = selectors(&query.expression);
        let is_constant = query.expression.starts_with("vector("); // what is promised, for example
        assert!(is_constant || !found.is_empty(), "{}: it asks for nothing", query.place);
        for selector in found {
            check_names(&query, &selector, &exported);
            check_values(&query, &selector, &metrics);
            check_job(&query, &selector, &metrics);
        }
    }
}

/// Asked of nobody: no exporter runs here. The names are those of the exporters' own documentation.
#[test]
fn metrics_of_exporters_are_asked_for_in_the_folder_exporters_only() {
    for query in exporters().iter().flat_map(Dashboard::queries) {
        for selector in selectors(&query.expression) {
            let known = EXPORTED.iter().find(|(name, _)| *name == selector.metric).map(|(_, labels)| *labels);
            let known = known.or(selector.metric.starts_with(OF_RABBITMQ.0).then_some(OF_RABBITMQ.1));
            let known = known.unwrap_or_else(|| panic!("{}: nobody exports {}", query.place, selector.metric));
            let left = selector.aggregation.iter().flat_map(|around| &around.by);
            for label in selector.matchers.iter().map(|(name, ..)| name).chain(left) {
                let of_the_scrape = label == "job" || label == "instance";
                assert!(of_the_scrape || known.contains(&label.as_str()), "{}: {label}", query.place);
            }
        }
    }
    for query in queries() {
        for selector in selectors(&query.expression) {
            assert!(EXPORTED.iter().all(|(name, _)| *name != selector.metric), "{}: {}", query.place, selector.metric);
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

#[test]
fn what_the_dashboards_take_as_recorded_is_recorded() {
    let files = std::fs::read_dir(workspace().join("prometheus/rules")).unwrap();
    let rules: String = files.map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap()).collect();
    for (name, windows) in RECORDED {
        for window in *windows {
            assert!(rules.contains(&format!("record: {name}{window}\n")), "{name}{window}");
        }
    }
}

fn check_names(query: &Query, selector: &Selector, exported: &BTreeMap<String, BTreeSet<String>>) {
    let place = format!("{}: {}", query.place, query.expression);
    let Some(labels) = exported.get(&selector.metric) else { panic!("{place}\nnobody exports {}", selector.metric) };
    let left = selector.aggregation.iter().flat_map(|around| &around.by);
    for label in selector.matchers.iter().map(|(name, ..)| name).chain(left) {
        assert!(labels.contains(label), "{place}\n{} has no label {label}, but {labels:?}", selector.metric);
    }
}

fn is_elsewhere(selector: &Selector) -> bool {
    selector.metric.contains(':') || ELSEWHERE.iter().any(|(name, _)| *name == selector.metric)
}

/// A value that is asked for by `=` must exist: `result="confirmd"` would select nothing, for ever.
fn check_values(query: &Query, selector: &Selector, metrics: &[Exposition]) {
    if is_elsewhere(selector) {
        return;
    }
    let own = |name: &str| name != "job" && name != "instance";
    let exact = selector.matchers.iter().filter(|(name, how, _)| how == "=" && own(name));
    let exact: Vec<_> = exact.map(|(name, _, value)| (name.as_str(), value.as_str())).collect();
    let found = metrics.iter().any(|one| one.samples(&in_text(&selector.metric), &exact).next().is_some());
    assert!(found, "{}: nothing has {exact:?} of {}", query.place, selector.metric);
}

/// What one service alone exports must not follow the choice of Job: with the other one chosen it would be "No data".
fn check_job(query: &Query, selector: &Selector, metrics: &[Exposition]) {
    if is_elsewhere(selector) || !selector.matchers.iter().any(|(_, _, value)| value == "$job") {
        return;
    }
    let own = |name: &str, how: &str, value: &str| name != "job" && how == "=" && !value.starts_with('$');
    let own = selector.matchers.iter().filter(|(name, how, value)| own(name, how, value));
    let own: Vec<_> = own.map(|(name, _, value)| (name.as_str(), value.as_str())).collect();
    let everywhere = metrics.iter().all(|one| one.samples(&in_text(&selector.metric), &own).next().is_some());
    assert!(everywhere, "{}: not both services export {} {own:?}", query.place, selector.metric);
}

#[test]
fn what_is_of_the_process_is_added_up_and_what_is_of_the_store_is_not() {
    for query in queries() {
        for selector in selectors(&query.expression) {
            let place = format!("{}: {} in {}", query.place, selector.metric, query.expression);
            let Some(around) = &selector.aggregation else { panic!("{place}: it is not aggregated") };
            if selector.metric.contains(':') {
                continue; // a share, recorded for each service: there is nothing to add up
            }
            if OF_THE_STORE.contains(&selector.metric.as_str()) {
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
