//! From a slow point of a graph to the one request behind it: an exemplar in the graph, and where its link leads to. And two other ways
//! to see how long requests take, with what each is good for.

use std::fs;

use e2e::{
    dashboard::{Dashboard, all, list, workspace},
    promql::selectors,
};
use serde_json::Value;

/// The histograms with exemplars.
const WITH_EXEMPLARS: [&str; 4] = [
    "myevents_request_duration_seconds_bucket",
    "myevents_messages_publish_duration_seconds_bucket",
    "myevents_messages_process_duration_seconds_bucket",
    "myevents_message_age_seconds_bucket",
];

const SUMMARY: &str = "myevents_upstream_latency_microseconds";

fn asks_for(target: &Value, metric: &str) -> bool {
    selectors(target["expr"].as_str().unwrap()).iter().any(|selector| selector.metric == metric)
}

/// Once, on the highest line: both lines of a panel would draw the same ones.
#[test]
fn every_graph_of_such_a_histogram_shows_its_exemplars_once_and_says_so() {
    let mut shown = 0;
    for dashboard in all() {
        for panel in dashboard.panels() {
            let graph = ["timeseries", "heatmap"].iter().any(|kind| panel["type"] == *kind);
            let compares = list(&panel["targets"]).any(|target| asks_for(target, "myevents_request_duration_seconds"));
            let asks = WITH_EXEMPLARS.iter().any(|metric| list(&panel["targets"]).any(|one| asks_for(one, metric)));
            let marked: Vec<_> = list(&panel["targets"]).map(|target| target["exemplar"] == true).collect();
            let right = usize::from(graph && asks && !compares);
            assert_eq!(marked.iter().filter(|one| **one).count(), right, "{}", dashboard.place(panel));
            if right == 1 {
                assert_eq!(marked.last(), Some(&true), "{}", dashboard.place(panel));
                let says = panel["description"].as_str().unwrap().contains("A diamond is one");
                assert_eq!(says, panel["type"] == "timeseries", "{}", dashboard.place(panel));
            }
            shown += right;
        }
    }
    assert!(shown >= 5, "{shown}");
}

/// Grafana fills in what begins with one `$`; what begins with two is the browser's.
#[test]
fn the_link_of_an_exemplar_begins_as_the_one_variable_says_wherever_grafana_is_started() {
    let read = |file: &str| fs::read_to_string(workspace().join(file)).unwrap();
    let sources = read("grafana/provisioning/datasources/prometheus.yml");
    assert!(sources.contains("        - name: trace_id\n          url: ${TRACES_URL}/$${__value.raw}\n"), "{sources}");
    for file in ["docker-compose.yml", "deploy/monitoring/grafana/statefulset.yaml", "tutorial/by-hand.sh"] {
        assert!(read(file).contains("TRACES_URL"), "{file}");
    }
}

/// The mean of two quantiles is the quantile of nothing.
#[test]
fn the_quantiles_of_a_summary_are_shown_for_each_process_and_never_added_up() {
    let mut shown = 0;
    for query in all().iter().flat_map(Dashboard::queries) {
        for selector in selectors(&query.expression).into_iter().filter(|selector| selector.metric == SUMMARY) {
            let by = selector.aggregation.unwrap().by;
            for label in ["job", "instance", "method", "route", "quantile"] {
                assert!(by.contains(&label.to_owned()), "{}: {label} is lost", query.place);
            }
            shown += 1;
        }
    }
    assert_eq!(shown, 1);
}
