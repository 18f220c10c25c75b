//! What is marked on every time axis.

use std::collections::BTreeSet;

use e2e::dashboard::{all, exporters, list, with_values};
use serde_json::json;

use crate::promtool::check_value;

/// Else it would shade the whole axis: the version of what runs is there all the time.
#[test]
fn a_release_is_marked_in_the_minute_in_which_it_appears_and_at_no_other_time() {
    let one = "myevents_build_info{job=\"bookingservice\",instance=\"1\",version=\"1\",revision=\"a\"}";
    let other = "myevents_build_info{job=\"bookingservice\",instance=\"1\",version=\"1\",revision=\"b\"}";
    // From 10:00, away from 20:00 to 25:00 and the same again; from 40:00 the new one.
    let series = [(one, "_x40 1x39 stale _x19 1x59 stale"), (other, "_x160 1x40")];
    let series: Vec<_> = series.iter().map(|(name, values)| json!({"series": name, "values": values})).collect();
    let mut checked = BTreeSet::new();
    for dashboard in all().into_iter().chain(exporters()) {
        let mut marks = list(&dashboard.json["annotations"]["list"]);
        let releases = marks.find(|one| one["name"] == "Releases").unwrap_or_else(|| panic!("{}", dashboard.file));
        // What Grafana asks for every minute is what the expression looks back.
        assert_eq!(releases["step"], "60s", "{}", dashboard.file);
        let expression = with_values(releases["expr"].as_str().unwrap());
        if !checked.insert(expression.clone()) {
            continue; // the same as on another one
        }
        for (at, revision) in [("10m", "a"), ("10m45s", "a"), ("40m30s", "b")] {
            let right = json!([{"labels": format!("{{version=\"1\",revision=\"{revision}\"}}"), "value": 1}]);
            check_value(&format!("{}, {at}", dashboard.file), series.clone(), at, &expression, right);
        }
        for at in ["9m", "11m", "15m", "22m", "25m30s", "41m30s", "45m"] {
            check_value(&format!("{}, {at}", dashboard.file), series.clone(), at, &expression, json!([]));
        }
    }
}

/// Else one dashboard shows an alert and the next one does not.
#[test]
fn every_dashboard_marks_what_fires() {
    for dashboard in all().into_iter().chain(exporters()) {
        let alerts = list(&dashboard.json["annotations"]["list"]).find(|one| one["name"] == "Alerts");
        let expression = alerts.unwrap_or_else(|| panic!("{}", dashboard.file))["expr"].as_str().unwrap();
        let right = r#"count by (alertname, severity) (ALERTS{alertstate="firing",team="myevents",severity=~"critical|warning"})"#;
        assert_eq!(expression, right, "{}", dashboard.file);
    }
}
