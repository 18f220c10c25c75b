//! What a reader needs on every panel, and what the chapter asks for by word.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
};

use e2e::{
    dashboard::{Dashboard, all, exporters, list, workspace},
    promql::aggregations,
};
use serde_json::json;

fn each() -> Vec<Dashboard> {
    all().into_iter().chain(exporters()).collect()
}

fn the(file: &str) -> Dashboard {
    all().into_iter().find(|dashboard| dashboard.file == file).unwrap()
}

#[test]
fn every_panel_has_title_description_unit_data_source_variable_and_legend() {
    for dashboard in each() {
        for panel in dashboard.panels() {
            let place = dashboard.place(panel);
            assert!(panel["title"].as_str().unwrap().len() > 2, "{place}: no title");
            let description = panel["description"].as_str().unwrap_or_default();
            assert!(description.len() > 20 && description.ends_with('.'), "{place}: no description");
            assert!(panel["fieldConfig"]["defaults"]["unit"].is_string(), "{place}: no unit");
            let source = json!({"type": "prometheus", "uid": "${datasource}"});
            assert_eq!(panel["datasource"], source, "{place}");
            assert!(list(&panel["targets"]).count() > 0, "{place}: no query");
            for target in list(&panel["targets"]) {
                assert_eq!(target["datasource"], source, "{place}");
            }
        }
        for query in dashboard.queries() {
            assert!(!query.legend.is_empty(), "{}: no legend", query.place);
        }
    }
}

#[test]
fn a_legend_names_only_labels_that_the_query_leaves() {
    for query in each().iter().flat_map(Dashboard::queries) {
        let left: BTreeSet<_> = aggregations(&query.expression).into_iter().flat_map(|one| one.by).collect();
        for label in query.legend.split("{{").skip(1).filter_map(|rest| rest.split("}}").next()) {
            assert!(left.contains(label.trim()), "{}: {label} is not left by {}", query.place, query.expression);
        }
    }
}

#[test]
fn every_dashboard_is_read_only_found_by_its_own_uid_and_has_the_variables() {
    let mut uids = BTreeSet::new();
    for Dashboard { file, json } in each() {
        assert_eq!(json["id"], json!(null), "{file}: ids are Grafana's own");
        assert_eq!(json["editable"], json!(false), "{file}");
        assert_eq!(json["schemaVersion"], json!(42), "{file}");
        assert!(uids.insert(json["uid"].as_str().unwrap().to_owned()), "{file}: its uid is another's, too");
        assert_eq!(json["uid"], format!("myevents-{}", file.trim_end_matches(".json")), "{file}");
        let variables: Vec<_> = list(&json["templating"]["list"]).map(|one| one["name"].as_str().unwrap()).collect();
        assert_eq!(variables[..3], ["datasource", "job", "instance"], "{file}");
        let ids: Vec<_> = list(&json["panels"]).map(|panel| panel["id"].as_u64().unwrap()).collect();
        assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{file}: two panels with one id");
    }
}

/// A choice without effect is taken for a broken one.
#[test]
fn a_panel_that_does_not_follow_job_says_so() {
    for dashboard in each() {
        let mut variables = list(&dashboard.json["templating"]["list"]);
        let hidden = variables.find(|one| one["name"] == "job").unwrap()["hide"] == 2;
        for panel in dashboard.panels() {
            let place = dashboard.place(panel);
            let follows = panel["targets"].to_string().contains("$job");
            let says = panel["description"].as_str().unwrap().contains("hatever Job is chosen");
            assert_eq!(follows, !(hidden || says), "{place}: what it follows, and what it says");
        }
    }
}

/// `$__rate_interval` grows with the chosen period: over a week it is half an hour, and a figure that says how it is would say
/// how it was. Where a panel's own period is short, it is four scrapes.
#[test]
fn a_figure_made_of_a_rate_is_of_now_whatever_period_is_chosen() {
    let mut checked = 0;
    for dashboard in each() {
        let figures = dashboard.panels().filter(|panel| panel["type"] == "stat");
        for panel in figures.filter(|panel| panel["targets"].to_string().contains("$__rate_interval")) {
            assert_eq!(panel["timeFrom"], "5m", "{}", dashboard.place(panel));
            checked += 1;
        }
    }
    assert!(checked > 0, "no figure is made of a rate");
}

/// At most six, or nobody reads them in five seconds; and each says in a word how it is.
#[test]
fn the_overview_begins_with_few_words() {
    let overview = the("overview.json");
    let mut top: Vec<_> = overview.panels().take_while(|panel| panel["type"] == "stat").collect();
    // A strip below them: it is one word, or names of alerts.
    let firing = top.pop().unwrap();
    assert_eq!((firing["title"].as_str(), firing["gridPos"]["w"].as_u64()), (Some("Firing"), Some(24)));
    assert!((3..=6).contains(&top.len()), "{}", top.len());
    for panel in top {
        let defaults = &panel["fieldConfig"]["defaults"];
        assert!(list(&defaults["mappings"]).count() > 0, "{}: no word", overview.place(panel));
        let mut colors = list(&defaults["thresholds"]["steps"]).map(|step| &step["color"]);
        assert!(colors.any(|color| color == "green"), "{}: never green", overview.place(panel));
    }
}

#[test]
fn the_bars_have_room_for_the_loads_events_and_some_of_ones_own() {
    let number = |text: &str, before: &str| -> usize {
        let behind = text.split_once(before).unwrap_or_else(|| panic!("no {before}")).1;
        behind[..behind.find(|c: char| !c.is_ascii_digit()).unwrap()].parse().unwrap()
    };
    let compose = fs::read_to_string(workspace().join("docker-compose.yml")).unwrap();
    let bars = the("business.json").queries().into_iter().find(|query| query.expression.contains("topk")).unwrap();
    assert!(number(&bars.expression, "topk(") >= number(&compose, "--events, \"") + 10, "{}", bars.expression);
}

#[test]
fn no_panel_lies_on_another_or_beyond_the_edge() {
    for dashboard in each() {
        let mut taken = BTreeMap::new();
        for panel in list(&dashboard.json["panels"]) {
            let [x, y, w, h] = ["x", "y", "w", "h"].map(|side| panel["gridPos"][side].as_u64().unwrap());
            assert!(x + w <= 24, "{}", dashboard.place(panel));
            for cell in (x..x + w).flat_map(|x| (y..y + h).map(move |y| (x, y))) {
                let other = taken.insert(cell, dashboard.place(panel));
                assert_eq!(other, None, "{} lies on it", dashboard.place(panel));
            }
        }
    }
}

#[test]
fn the_chapters_own_panels_are_there_word_for_word() {
    let overview = the("overview.json");
    let cpu = overview.panels().find(|panel| panel["title"] == "CPU").unwrap();
    let query = &cpu["targets"][0];
    assert!(query["expr"].as_str().unwrap().contains("rate(process_cpu_seconds_total"), "{query}");
    assert_eq!(query["legendFormat"], "{{job}}");
    assert_eq!(cpu["fieldConfig"]["defaults"]["unit"], "percentunit");

    let business = the("business.json").queries();
    assert!(business.iter().any(|query| query.expression == "sum(myevents_bookings_count) by (eventName)"));
}
