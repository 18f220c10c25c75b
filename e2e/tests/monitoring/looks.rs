//! What pictures of the dashboards showed to be wrong, held so that it does not come back. How they are drawn is said in
//! `docs/pictures/README.md`.

use e2e::dashboard::{Dashboard, all, exporters, list};
use serde_json::{Value, json};

/// Checks the panels that a rule is for. There must be some.
fn each_panel(is_meant: impl Fn(&Value) -> bool, check: impl Fn(&str, &Value)) {
    let mut checked = 0;
    for dashboard in all().iter().chain(&exporters()) {
        for panel in dashboard.panels().filter(|panel| is_meant(panel)) {
            check(&Dashboard::place(dashboard, panel), panel);
            checked += 1;
        }
    }
    assert!(checked > 0, "the rule is for no panel");
}

fn any(_: &Value) -> bool {
    true
}

fn is_of_type(name: &str) -> impl Fn(&Value) -> bool {
    move |panel| panel["type"] == name
}

fn is_stacked(panel: &Value) -> bool {
    panel["fieldConfig"]["defaults"]["custom"]["stacking"]["mode"] == "normal"
}

fn legends(panel: &Value) -> Vec<&str> {
    list(&panel["targets"]).map(|target| target["legendFormat"].as_str().unwrap()).collect()
}

/// Of a service or its queue; there are two of each.
fn of_a_service(legend: &str) -> bool {
    legend.contains("{{job}}") || legend.contains("{{queue}}")
}

fn shows_numbers(panel: &Value) -> bool {
    ["stat", "timeseries", "bargauge"].iter().any(|kind| panel["type"] == *kind)
}

/// A flat 0 would draw an axis to 100, which is 10,000 % for a share.
#[test]
fn every_axis_has_a_soft_limit() {
    each_panel(is_of_type("timeseries"), |place, panel| {
        let limit = panel["fieldConfig"]["defaults"]["custom"]["axisSoftMax"].as_f64();
        assert!(limit.is_some_and(|limit| limit > 0.0), "{place}");
    });
}

/// Grafana's `short` without decimals says "3 K" for 2,615, and its `ops` is jargon.
#[test]
fn what_counts_is_whole_and_its_unit_is_short() {
    each_panel(any, |place, panel| {
        let defaults = &panel["fieldConfig"]["defaults"];
        let unit = defaults["unit"].as_str().unwrap();
        assert!(!["ops", "opm", "reqps", "rps"].contains(&unit), "{place}: {unit}");
        if !shows_numbers(panel) {
            return;
        }
        if unit == "locale" {
            assert_eq!(defaults["decimals"], json!(0), "{place}");
        }
        if unit == "short" {
            let says_words = list(&defaults["mappings"]).count() > 0 || panel["options"]["textMode"] == "name";
            let is_a_fraction = defaults["decimals"].as_u64().is_some_and(|decimals| decimals > 0);
            assert!(says_words || is_a_fraction, "{place}: a count has the unit locale");
        }
    });
}

/// Measured at a width of 1366 px with Grafana's menu, where a panel of width 4 has room for 14 characters.
#[test]
fn a_title_fits_above_its_panel() {
    each_panel(any, |place, panel| {
        let (title, width) = (panel["title"].as_str().unwrap(), panel["gridPos"]["w"].as_u64().unwrap());
        let room = usize::try_from(6 * width - 10).unwrap();
        assert!(title.chars().count() <= room, "{place}: {room} characters");
    });
}

/// Yellow is the event service and green the booking service; nothing else is, where it has a name of its own.
#[test]
fn each_service_has_one_colour_everywhere() {
    let color = |pattern: &str, color: &str| {
        let fixed = json!({"mode": "fixed", "fixedColor": color});
        json!({"matcher": {"id": "byRegexp", "options": pattern}, "properties": [{"id": "color", "value": fixed}]})
    };
    let services = [color("/eventservice/", "yellow"), color("/bookingservice/", "green")];
    each_panel(is_of_type("timeseries"), |place, panel| {
        let overrides: Vec<_> = list(&panel["fieldConfig"]["overrides"]).collect();
        if legends(panel).iter().any(|legend| of_a_service(legend)) {
            assert_eq!(overrides[..2], [&services[0], &services[1]], "{place}");
        }
        let others: Vec<_> = overrides.into_iter().filter(|one| !services.contains(one)).collect();
        for other in &others {
            let properties = other["properties"].to_string();
            assert!(!properties.contains("green\"") && !properties.contains("yellow\""), "{place}: {other}");
        }
        let by_value = panel["fieldConfig"]["defaults"]["color"]["mode"] == "thresholds";
        for legend in legends(panel).into_iter().filter(|legend| !legend.contains("{{") && !by_value) {
            let own = others.iter().find(|one| one["matcher"]["options"] == legend);
            let own = own.unwrap_or_else(|| panic!("{place}: {legend} has no colour of its own"));
            assert!(own["properties"].to_string().contains("fixedColor"), "{place}: {legend}");
        }
    });
}

/// A saturated tile says that something is well or not.
#[test]
fn a_figure_without_a_verdict_has_no_coloured_ground() {
    each_panel(is_of_type("stat"), |place, panel| {
        let verdict = list(&panel["fieldConfig"]["defaults"]["thresholds"]["steps"]).count() > 1;
        let right = if verdict { "background" } else { "value" };
        assert_eq!(panel["options"]["colorMode"], right, "{place}");
    });
}

/// Ten areas on each other are mud.
#[test]
fn from_three_lines_on_nothing_is_filled_unless_it_is_stacked() {
    each_panel(
        |panel| panel["type"] == "timeseries" && !is_stacked(panel),
        |place, panel| {
            let custom = &panel["fieldConfig"]["defaults"]["custom"];
            let lines = |legend: &str| match legend.matches("{{").count() {
                0 => 1,
                1 if of_a_service(legend) => 2,
                _ => 3,
            };
            let lines: usize = legends(panel).into_iter().map(lines).sum();
            let fill = custom["fillOpacity"].as_u64().unwrap();
            assert!(fill == 0 || (lines < 3 && fill <= 10), "{place}: {lines} lines, {fill}");
        },
    );
}

/// With colours from thresholds Grafana would show "1+" instead of a mapping's word.
#[test]
fn a_state_is_said_in_a_word() {
    each_panel(is_of_type("state-timeline"), |place, panel| {
        let defaults = &panel["fieldConfig"]["defaults"];
        assert_eq!(defaults["color"], json!({"mode": "fixed", "fixedColor": "text"}), "{place}");
        assert!(list(&defaults["mappings"]).count() > 1, "{place}");
        assert_eq!(panel["options"]["legend"]["showLegend"], json!(false), "{place}");
    });
}

/// The series of one query come in any order.
#[test]
fn each_tile_has_a_query_of_its_own() {
    let names_alerts = |panel: &Value| panel["options"]["textMode"] == "name";
    each_panel(
        |panel| panel["type"] == "stat" && !names_alerts(panel),
        |place, panel| {
            assert!(legends(panel).iter().all(|legend| !legend.contains("{{")), "{place}");
        },
    );
}

/// The outline of a share of 0 would lie on the top of the others, in its own colour.
#[test]
fn a_stacked_area_has_no_outline() {
    each_panel(is_stacked, |place, panel| {
        let custom = &panel["fieldConfig"]["defaults"]["custom"];
        assert_eq!(custom["lineWidth"], 0, "{place}");
        assert!(custom["fillOpacity"].as_u64().is_some_and(|fill| fill >= 50), "{place}");
    });
}

/// Green would say that it is good to be there.
#[test]
fn a_line_at_a_limit_is_not_green() {
    let defaults = |panel: &Value| panel["fieldConfig"]["defaults"].clone();
    let has_limit = |panel: &Value| {
        let mode = defaults(panel)["custom"]["thresholdsStyle"]["mode"].clone();
        mode.as_str().is_some_and(|mode| mode != "off")
    };
    each_panel(has_limit, |place, panel| {
        let defaults = defaults(panel);
        let lines: Vec<_> = list(&defaults["thresholds"]["steps"]).filter(|step| step["value"].is_number()).collect();
        assert!(!lines.is_empty() && lines.iter().all(|step| step["color"] != "green"), "{place}");
    });
}
