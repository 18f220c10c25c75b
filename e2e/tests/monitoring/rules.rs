//! Alert and recording rules: valid and tested by every promtool there is, and complete.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    process::Command,
};

use e2e::{
    catalogue,
    dashboard::workspace,
    not_run,
    promql::selectors,
    rules::{Case, Rule, all, files, must_be_green, promtools, tests},
};

/// Where the links of alerts lead to.
const DASHBOARDS: [&str; 10] = [
    "myevents-overview",
    "myevents-business",
    "myevents-messaging",
    "myevents-slo",
    "myevents-service",
    "myevents-runtime",
    "myevents-meta",
    "myevents-mongodb",
    "myevents-rabbitmq",
    "myevents-infra",
];

fn alerts() -> Vec<Rule> {
    all().into_iter().filter(|rule| rule.alert).collect()
}

fn place(rule: &Rule) -> String {
    format!("{}, {}", rule.file, rule.name)
}

#[test]
fn every_promtool_takes_the_rules_and_their_tests_are_green_in_it() {
    let tools = promtools();
    if tools.is_empty() {
        return not_run("promtool test rules (install Prometheus: `apt install prometheus`)");
    }
    // `.ci/rule-mutations` asks for more of them.
    tools.iter().for_each(|tool| must_be_green(tool));
}

#[test]
fn every_alert_says_how_urgent_it_is_what_happened_and_where_to_look() {
    let alerts = alerts();
    assert!(alerts.len() >= 55, "only {} alerts", alerts.len());
    for alert in &alerts {
        let place = place(alert);
        let severity = alert.labels.get("severity").map_or("", String::as_str);
        assert!(["critical", "warning", "info"].contains(&severity) || alert.name == "Watchdog", "{place}: {severity}");
        assert_eq!(alert.labels.get("team").map(String::as_str), Some("myevents"), "{place}");
        let annotation = |key: &str| alert.annotations.get(key).map_or("", String::as_str);
        let summary = annotation("summary");
        assert!(summary.len() > 10 && !summary.ends_with('.'), "{place}: a headline, not {summary}");
        let description = annotation("description");
        assert!(description.len() > 20 && description.ends_with('.'), "{place}: sentences, not {description}");
        let runbook = format!("{{{{ $externalLabels.runbooks }}}}/{}", alert.name);
        assert_eq!(annotation("runbook_url"), runbook, "{place}");
        let dashboard = annotation("dashboard_url").strip_prefix("{{ $externalLabels.dashboards }}/d/");
        let uid = dashboard.unwrap_or_else(|| panic!("{place}: no dashboard"));
        assert!(DASHBOARDS.contains(&uid), "{place}: {uid}");
        assert_eq!(alert.annotations.len(), 4, "{place}");
    }
}

/// Two alerts of one name and one set of labels would be one alert in Alertmanager.
#[test]
fn alerts_of_one_name_differ_in_their_labels() {
    let mut seen = BTreeSet::new();
    for alert in alerts() {
        assert!(seen.insert((alert.name.clone(), alert.labels.clone())), "{}", place(&alert));
    }
}

#[test]
fn every_alert_has_one_runbook_and_every_runbook_an_alert() {
    let folder = fs::read_dir(workspace().join("prometheus/runbooks")).unwrap();
    let names = folder.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let names = names.filter_map(|name| name.strip_suffix(".md").map(str::to_owned));
    let runbooks: BTreeSet<_> = names.filter(|name| name != "README").collect();
    let alerts: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    assert_eq!(runbooks, alerts);
}

/// A name begins with the alert and the case: `MyEventsTargetDown, firing: one instance of two cannot be scraped`.
fn cases() -> BTreeMap<(String, String), Vec<Case>> {
    let mut cases: BTreeMap<_, Vec<Case>> = BTreeMap::new();
    for case in tests().into_iter().flat_map(|tests| tests.cases) {
        let (head, _) =
            case.name.split_once(": ").unwrap_or_else(|| panic!("{}: {} says nothing", case.file, case.name));
        if let Some((alert, which)) = head.split_once(", ") {
            assert!(["firing", "silent", "boundary", "no data"].contains(&which), "{}: {}", case.file, case.name);
            cases.entry((alert.to_owned(), which.to_owned())).or_default().push(case);
        }
    }
    cases
}

#[test]
fn every_alert_has_a_test_for_each_case() {
    let cases = cases();
    let mut missing = Vec::new();
    for alert in alerts() {
        let infrastructure = ["Host", "RabbitMQ", "MongoDB"].iter().any(|start| alert.name.starts_with(start));
        let wanted: &[&str] = match (infrastructure, alert.name.as_str()) {
            (_, "Watchdog") => &["firing", "no data"], // it is never silent
            (true, _) => &["firing", "silent"],
            (false, _) => &["firing", "silent", "boundary", "no data"],
        };
        let has = |which: &&&str| cases.contains_key(&(alert.name.clone(), (**which).to_owned()));
        missing.extend(wanted.iter().filter(|which| !has(which)).map(|which| format!("{}: {which}", alert.name)));
    }
    assert_eq!(missing, Vec::<String>::new());
    let names: BTreeSet<_> = alerts().into_iter().map(|alert| alert.name).collect();
    let unknown: Vec<_> = cases.keys().filter(|(alert, _)| !names.contains(alert)).collect();
    assert_eq!(unknown, Vec::<&(String, String)>::new(), "tests of alerts that are not there");
}

#[test]
fn a_case_asks_for_its_alert_and_a_firing_one_gets_it() {
    for ((alert, which), cases) in cases() {
        for case in cases {
            let asked: Vec<_> =
                case.text.split("alertname: ").skip(1).filter(|part| part.starts_with(&alert)).collect();
            let counted = case.text.contains(&format!("alertname=\"{alert}\""));
            assert!(!asked.is_empty() || counted, "{}: {} does not ask for it", case.file, case.name);
            let fires = asked.iter().any(|part| !part.lines().nth(1).unwrap_or_default().ends_with("[]"));
            assert!(which != "firing" || fires, "{}: {} expects nothing", case.file, case.name);
        }
    }
}

#[test]
fn what_is_of_the_store_is_never_added_up() {
    let of_the_store = catalogue::of_the_store();
    for rule in all() {
        for selector in selectors(&rule.expression) {
            if of_the_store.contains(&selector.metric) {
                let around = selector.aggregation.map(|around| around.operator);
                assert_eq!(around.as_deref(), Some("max"), "{}: {}", place(&rule), selector.metric);
            }
        }
    }
}

/// Prometheus 2 writes le="1", Prometheus 3 le="1.0", and `promtool test rules` does not know.
#[test]
fn no_rule_names_a_bucket_by_a_whole_number() {
    for rule in all() {
        let named = selectors(&rule.expression).into_iter().flat_map(|one| one.matchers);
        let whole = named.into_iter().any(|(name, _, value)| name == "le" && !value.contains('.'));
        assert!(!whole, "{}", place(&rule));
    }
}

#[test]
fn the_operator_gets_the_same_rules() {
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("rules.yaml");
    let script = Command::new(workspace().join(".ci/prometheus-rule")).arg(&made).status();
    assert!(script.unwrap().success());
    let committed = workspace().join("deploy/components/prometheus-operator/rules.yaml");
    let same = fs::read_to_string(&made).unwrap() == fs::read_to_string(committed).unwrap();
    assert!(same, "run .ci/prometheus-rule: the rules have changed");
}

/// kustomize has no wildcard: a file that is not listed would be there in Compose, and not on Kubernetes.
#[test]
fn every_file_of_rules_is_in_the_config_map() {
    let kustomization = fs::read_to_string(workspace().join("prometheus/kustomization.yaml")).unwrap();
    let listed: BTreeSet<_> = kustomization.lines().filter_map(|line| line.trim().strip_prefix("- rules/")).collect();
    let names = files("rules").into_iter().map(|path| path.file_name().unwrap().to_string_lossy().into_owned());
    assert_eq!(listed, names.collect::<BTreeSet<_>>().iter().map(String::as_str).collect());
}
