//! `grafana/provisioning/alerting`, by its shape: no package provides Grafana, so nobody here sees it send anything.

use std::{
    collections::BTreeSet,
    fs,
    io::Write,
    process::{Command, Stdio},
};

use e2e::{
    dashboard::{all, list, workspace},
    not_run,
};
use serde_json::{Value, json};

const FOLDER: &str = "grafana/provisioning/alerting";

/// File and key: what Grafana knows of, and what is there.
const FILES: [(&str, &str); 4] = [
    ("contact-points.yml", "contactPoints"),
    ("policies.yml", "policies"),
    ("rules.yml", "groups"),
    ("templates.yml", "templates"),
];

fn read(path: &str) -> String {
    fs::read_to_string(workspace().join(path)).unwrap()
}

/// A YAML file as JSON: Compose reads YAML, and gives back under `x-` what is not its own. `None` and a word where there is none.
fn yaml(path: &str) -> Option<Value> {
    let indented: String = read(path).lines().map(|line| format!("  {line}\n")).collect();
    let compose = Command::new("docker")
        .args(["compose", "--file", "-", "config", "--no-interpolate", "--format", "json"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn();
    let output = compose.and_then(|mut compose| {
        compose
            .stdin
            .take()
            .unwrap()
            .write_all(format!("name: any\nservices: {{}}\nx-file:\n{indented}").as_bytes())?;
        compose.wait_with_output()
    });
    let Some(output) = output.ok().filter(|output| output.status.success()) else {
        not_run(&format!("{path} (needs Docker Compose 2.24 or newer: docs.docker.com/compose/install)"));
        return None;
    };
    Some(serde_json::from_slice::<Value>(&output.stdout).unwrap()["x-file"].take())
}

/// The members of the one list of a file.
fn members(file: &str) -> Option<Vec<Value>> {
    let (_, key) = FILES.iter().find(|(name, _)| *name == file).unwrap();
    Some(list(&yaml(&format!("{FOLDER}/{file}"))?[key]).cloned().collect())
}

fn names<'a>(members: &'a [Value], field: &str) -> BTreeSet<&'a str> {
    members.iter().map(|member| member[field].as_str().unwrap()).collect()
}

#[test]
fn each_file_says_one_kind_of_thing() {
    let there = fs::read_dir(workspace().join(FOLDER)).unwrap();
    let there: BTreeSet<_> = there.map(|file| file.unwrap().file_name().into_string().unwrap()).collect();
    assert_eq!(there, FILES.map(|(name, _)| name.to_owned()).into());
    for (file, key) in FILES {
        let Some(file) = yaml(&format!("{FOLDER}/{file}")) else { return };
        assert_eq!(file.as_object().unwrap().keys().collect::<Vec<_>>(), ["apiVersion", key]);
        assert_eq!(file["apiVersion"], 1);
        assert!(list(&file[key]).all(|member| member["orgId"] == 1), "{file}");
    }
}

/// Grafana expands it, in some versions also in the middle of a text. An empty variable stops its start.
#[test]
fn no_dollar_sign_stands_there() {
    for (file, _) in FILES {
        assert!(!read(&format!("{FOLDER}/{file}")).contains('$'), "{file}");
    }
}

#[test]
fn mails_and_dingding_are_the_contact_points_and_the_keyword_is_in_title_and_message() {
    let Some(points) = members("contact-points.yml") else { return };
    assert_eq!(names(&points, "name"), ["dingding", "email"].into());
    for point in &points {
        let [receiver] = &list(&point["receivers"]).collect::<Vec<_>>()[..] else { panic!("not one: {point}") };
        assert_eq!(receiver["type"], point["name"]);
        let uid = receiver["uid"].as_str().unwrap();
        assert!(uid.len() <= 40 && uid.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte)));
        let settings = &receiver["settings"];
        if point["name"] == "email" {
            assert!(settings["addresses"].as_str().unwrap().contains('@'), "{settings}");
            continue;
        }
        assert_eq!(settings["url"], "http://bridge:8060/grafana");
        for field in ["title", "message"] {
            assert!(settings[field].as_str().unwrap().starts_with("报警 "), "{settings}");
        }
    }
}

#[test]
fn each_template_that_is_used_is_there() {
    let Some(templates) = members("templates.yml") else { return };
    let defined: String = templates.iter().map(|template| template["template"].as_str().unwrap()).collect();
    let points = read(&format!("{FOLDER}/contact-points.yml"));
    let used: Vec<_> = points.split("{{ template \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert_eq!(used.len(), 4);
    for name in used {
        assert!(defined.contains(&format!("{{{{ define \"{name}\" }}}}")), "{name}");
    }
}

#[test]
fn there_is_one_tree_of_policies_and_a_page_goes_to_both() {
    let (Some(trees), Some(points)) = (members("policies.yml"), members("contact-points.yml")) else { return };
    let [tree] = &trees[..] else { panic!("not one: {trees:?}") };
    let routes: Vec<_> = list(&tree["routes"]).collect();
    for route in routes.iter().chain([&tree]) {
        assert!(names(&points, "name").contains(route["receiver"].as_str().unwrap()), "{route}");
    }
    // Who is notified of such an alert, as Grafana finds it: the first that fits, and on where it says so.
    let notified = |labels: &Value| {
        let fits = |matcher: &Value| {
            let value = labels[matcher[0].as_str().unwrap()].as_str().unwrap_or_default();
            let wanted = matcher[2].as_str().unwrap();
            match matcher[1].as_str().unwrap() {
                "=" => value == wanted,
                "!=" => value != wanted,
                other => panic!("what is {other}?"),
            }
        };
        let mut found = Vec::new();
        for route in routes.iter().filter(|route| list(&route["object_matchers"]).all(fits)) {
            found.push(route["receiver"].as_str().unwrap());
            if route["continue"] != true {
                break;
            }
        }
        if found.is_empty() { vec![tree["receiver"].as_str().unwrap()] } else { found }
    };
    assert_eq!(notified(&json!({"severity": "critical"})), ["dingding", "email"]);
    assert_eq!(notified(&json!({"severity": "critical", "channel": "both"})), ["dingding", "email"]);
    assert_eq!(notified(&json!({"severity": "warning", "channel": "both"})), ["dingding", "email"]);
    assert_eq!(notified(&json!({"severity": "warning"})), ["dingding"]);
    assert_eq!(notified(&json!({"severity": "unheard-of"})), ["dingding", "email"]);
    assert_eq!(notified(&json!({})), ["dingding", "email"]);
    // How soon, and how often again: as Alertmanager's.
    let alertmanager = read("prometheus/alertmanager/alertmanager.yml");
    let (_, page) = alertmanager.split_once("severity = \"critical\"").unwrap();
    for (place, field, text) in [
        (tree, "group_wait", &*alertmanager),
        (tree, "group_interval", &alertmanager),
        (tree, "repeat_interval", &alertmanager),
        (routes[0], "group_wait", page),
        (routes[0], "repeat_interval", page),
        (routes[1], "group_wait", page),
        (routes[1], "repeat_interval", page),
    ] {
        let (_, there) = text.split_once(&format!("{field}: ")).unwrap();
        assert_eq!(there.split_whitespace().next(), place[field].as_str(), "{field} of {place}");
    }
}

#[test]
fn more_than_eight_threads_for_five_minutes_would_fire_if_the_rule_were_not_paused() {
    let Some(groups) = members("rules.yml") else { return };
    let [group] = &groups[..] else { panic!("not one: {groups:?}") };
    assert_eq!((&group["interval"], &group["folder"]), (&json!("1m"), &json!("MyEvents")));
    let rules: Vec<_> = list(&group["rules"]).collect();
    let [rule] = rules[..] else { panic!("not one: {group}") };
    assert_eq!(
        (&rule["uid"], &rule["isPaused"], &rule["for"]),
        (&json!("myevents-threads"), &json!(true), &json!("5m"))
    );
    assert_eq!(rule["labels"], json!({"severity": "warning", "team": "myevents", "channel": "both"}));
    assert!(["noDataState", "execErrState"].iter().all(|state| rule[state].is_string()), "{rule}");

    // Prometheus' value, its last, and whether it is too much: each step names the one before.
    let steps: Vec<_> = list(&rule["data"]).collect();
    let [asked, last, compared] = steps[..] else { panic!("three steps: {rule}") };
    assert!(steps.iter().all(|step| step["refId"] == step["model"]["refId"]), "{rule}");
    let sources = read("grafana/provisioning/datasources/prometheus.yml");
    assert!(sources.contains(&format!("uid: {}\n", asked["datasourceUid"].as_str().unwrap())), "{asked}");
    assert_eq!((&last["datasourceUid"], &compared["datasourceUid"]), (&json!("__expr__"), &json!("__expr__")));
    assert_eq!((&last["model"]["type"], &last["model"]["expression"]), (&json!("reduce"), &asked["refId"]));
    assert_eq!((&compared["model"]["type"], &compared["model"]["expression"]), (&json!("threshold"), &last["refId"]));
    assert_eq!(compared["model"]["conditions"], json!([{"evaluator": {"type": "gt", "params": [8]}}]));
    assert_eq!(rule["condition"], compared["refId"]);

    let dashboard = all().into_iter().find(|dashboard| dashboard.json["uid"] == rule["dashboardUid"]).unwrap();
    let panel = dashboard.panels().find(|panel| panel["id"] == rule["panelId"]).unwrap();
    assert_eq!(panel["title"], "Threads");
    let runbook = rule["annotations"]["runbook_url"].as_str().unwrap();
    assert!(runbook.ends_with("/runbooks/MyEventsHighThreadCount"), "{runbook}");
}
