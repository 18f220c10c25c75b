//! `docs/drills.md` has a row for each drill in `e2e/tests/drills`, and names alerts and panels that there are.

use std::{collections::BTreeSet, fs};

use e2e::{
    dashboard::{self, workspace},
    rules,
};

/// The cells of all rows of the tables, but for the heads.
fn rows() -> Vec<Vec<String>> {
    let text = fs::read_to_string(workspace().join("docs/drills.md")).unwrap();
    let cells = |line: &str| line.trim_matches('|').split('|').map(|cell| cell.trim().to_owned()).collect::<Vec<_>>();
    let rows = text.lines().filter(|line| line.starts_with("| ")).map(cells);
    rows.filter(|row| !["fault", "what happens"].contains(&row[0].as_str())).collect()
}

/// What the drills call themselves.
fn drills() -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for entry in fs::read_dir(workspace().join("e2e/tests/drills")).unwrap().map(Result::unwrap) {
        let code = fs::read_to_string(entry.path()).unwrap();
        let calls = ["Drill::begin(", "write_quiet_row("].map(|call| code.split(call).skip(1));
        let texts = calls.into_iter().flatten().filter_map(|call| call.trim_start().strip_prefix('"'));
        names.extend(texts.map(|text| text.split('"').next().unwrap().to_owned()));
    }
    names
}

#[test]
fn every_drill_has_its_rows() {
    let rows = rows();
    let listed: BTreeSet<_> = rows.iter().map(|row| row[0].clone()).filter(|name| !name.is_empty()).collect();
    assert!(listed.len() >= 14 + 7, "{}", listed.len());
    assert_eq!(listed, drills(), "run .ci/drills, then .ci/drills table");
}

#[test]
fn every_alert_and_panel_in_the_table_is_one() {
    let alerts: BTreeSet<_> = rules::all().into_iter().filter(|rule| rule.alert).map(|rule| rule.name).collect();
    let dashboards = dashboard::all().into_iter().chain(dashboard::exporters());
    let panels = dashboards.flat_map(|dashboard| {
        let file = dashboard.file.trim_end_matches(".json").to_owned();
        let titles = dashboard.panels().map(|panel| panel["title"].as_str().unwrap().to_owned());
        titles.map(|title| format!("{file}, {title}")).collect::<Vec<_>>()
    });
    let panels: BTreeSet<_> = panels.collect();
    let rows = rows();
    let rows: Vec<_> = rows.iter().filter(|row| row.len() == 9).collect();
    assert!(rows.len() >= 14, "{}", rows.len());
    for row in rows {
        let (panel, alert) = (&row[1], &row[3]);
        assert!(panel.is_empty() || panels.contains(panel), "{panel}");
        assert!(alerts.contains(alert) || alert == "the dead-man's switch", "{alert}");
    }
}

/// Under Compose, with MongoDB and without trouble, some selectors have no series: that list says where they have some.
#[test]
fn what_compose_does_not_show_is_shown_by_a_drill() {
    let list = fs::read_to_string(workspace().join("e2e/tests/compose/missing.rs")).unwrap();
    let named: Vec<_> = list.split("drill: \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(!named.is_empty());
    for drill in named {
        assert!(drill == "any" || drills().contains(drill), "{drill}");
    }
}
