//! What the top of the overview says, in a word and a colour: its expressions evaluated by promtool, its words looked up as Grafana
//! does it.

use e2e::dashboard::{Dashboard, all, exporters, list, with_values};
use serde_json::{Value, json};

use crate::promtool::check_value;

fn panel(title: &str) -> Value {
    let overview = all().into_iter().find(|dashboard| dashboard.file == "overview.json").unwrap();
    let found = Dashboard::panels(&overview).find(|panel| panel["title"] == title).cloned();
    found.unwrap_or_else(|| panic!("no panel {title}"))
}

/// Word and colour of a number: the first mapping that fits, else the last threshold below it.
fn said(panel: &Value, number: f64) -> (Option<String>, String) {
    let defaults = &panel["fieldConfig"]["defaults"];
    let fits = |mapping: &&Value| {
        let bound = |name: &str| mapping["options"][name].as_f64();
        bound("from").is_none_or(|from| from <= number) && bound("to").is_none_or(|to| number <= to)
    };
    if let Some(mapping) = list(&defaults["mappings"]).find(fits) {
        let result = &mapping["options"]["result"];
        return (result["text"].as_str().map(str::to_owned), result["color"].as_str().unwrap().to_owned());
    }
    let steps = list(&defaults["thresholds"]["steps"]);
    let reached = steps.filter(|step| step["value"].as_f64().is_none_or(|value| value <= number)).last();
    (None, reached.unwrap()["color"].as_str().unwrap().to_owned())
}

/// That a panel shows that number 10 minutes into such series, and that it says it so.
fn shows(title: &str, series: &[(&str, &str)], labels: &str, number: Option<f64>, word: Option<&str>, color: &str) {
    tile_shows(title, 0, series, labels, number, word, color);
}

/// The same of one of several tiles, each of which has a query of its own.
fn tile_shows(
    title: &str,
    tile: usize,
    series: &[(&str, &str)],
    labels: &str,
    number: Option<f64>,
    word: Option<&str>,
    color: &str,
) {
    let panel = panel(title);
    let series = series.iter().map(|(name, values)| json!({"series": name, "values": values})).collect();
    let right = number.map_or(json!([]), |number| json!([{"labels": labels, "value": number}]));
    let expression = with_values(panel["targets"][tile]["expr"].as_str().unwrap());
    check_value(&format!("{title}, {number:?}"), series, "10m", &expression, right);
    let Some(number) = number else {
        let defaults = &panel["fieldConfig"]["defaults"];
        let nothing = (defaults["noValue"].as_str(), &defaults["thresholds"]["steps"][0]["color"]);
        return assert_eq!(nothing, (word, &json!(color)), "{title}");
    };
    assert_eq!(said(&panel, number), (word.map(str::to_owned), color.to_owned()), "{title}, {number}");
}

#[test]
fn messages_flow_only_where_they_could() {
    let with = |changes: &str, view: &str, sessions: &str, number, word, color| {
        let series = [
            ("myevents_seat_changes", changes),
            ("myevents_view_seat_changes", view),
            ("myevents_amqp_connected{job=\"eventservice\"}", "1x100"),
            ("myevents_amqp_connected{job=\"bookingservice\"}", sessions),
        ];
        shows("Messages flow", &series, "{}", number, Some(word), color);
    };
    with("0+10x100", "0+10x100", "1x100", Some(0.0), "Flowing", "green");
    with("7x100", "7x100", "1x100", Some(0.0), "Flowing", "green");
    with("7x100", "4x100", "1x100", Some(3.0), "Behind", "orange");
    with("250x100", "100x100", "1x100", Some(150.0), "Not flowing", "red");
    // Nobody sends anything, so nothing is missing; but nothing could arrive.
    with("7x100", "7x100", "0x100", Some(100.0), "Not flowing", "red");
    with("_x40 0x100", "_x40 0x100", "_x40 1x100", None, "Cannot tell", "blue");
    // In one process there is no broker.
    let within = [("myevents_seat_changes", "7x100"), ("myevents_view_seat_changes", "7x100")];
    shows("Messages flow", &within, "{}", Some(0.0), Some("Flowing"), "green");
}

#[test]
fn an_outbox_is_judged_by_its_oldest_message_not_by_their_number() {
    let with = |pending: &str, oldest: &str, number, word, color| {
        let pending_messages = "myevents_outbox_pending_messages{job=\"bookingservice\",instance=\"1\"}";
        let oldest_message = "myevents_outbox_oldest_pending_timestamp_seconds{job=\"bookingservice\",instance=\"1\"}";
        let series = [(pending_messages, pending), (oldest_message, oldest)];
        tile_shows("Outbox", 1, &series, "{job=\"bookingservice\"}", Some(number), word, color);
    };
    with("0x100", "0x100", 0.0, Some("OK"), "green");
    with("5000x100", "595x100", 5.0, Some("OK"), "green");
    with("1x100", "560x100", 40.0, None, "orange");
    with("89x100", "500x100", 100.0, None, "red");
}

#[test]
fn bookings_are_green_while_there_are_any() {
    let with = |values: &str, number, word, color| {
        let series = [("myevents_bookings_accepted_total{job=\"bookingservice\"}", values)];
        shows("Bookings/min", &series, "{}", number, word, color);
    };
    with("0+15x100", Some(60.0), None, "green");
    with("7x100", Some(0.0), Some("None"), "blue");
    with("_x100", None, Some("No data"), "blue");
}

#[test]
fn many_quick_reads_at_one_service_do_not_hide_slow_bookings_at_the_other() {
    let bucket = |job: &str, le: &str| {
        format!("myevents_request_duration_seconds_bucket{{job=\"{job}\",instance=\"1\",le=\"{le}\"}}")
    };
    // A thousand a scrape within 5 ms; ten, half of which take more than half a second.
    let (reads, bookings) = ("eventservice", "bookingservice");
    let [quick, fast, slow] = [("0.005", "0+1000x100"), ("0.5", "0+1000x100"), ("1", "0+1000x100")];
    let reads = [quick, fast, slow, ("+Inf", slow.1)].map(|(le, values)| (bucket(reads, le), values));
    let halves = [("0.005", "0+5x100"), ("0.5", "0+5x100"), ("1", "0+10x100"), ("+Inf", "0+10x100")];
    let bookings = halves.map(|(le, values)| (bucket(bookings, le), values));
    let series: Vec<_> = reads.iter().chain(&bookings).map(|(name, values)| (name.as_str(), *values)).collect();
    shows("Answers come", &series, "{}", Some(0.95), Some("Very slow"), "red");
}

#[test]
fn what_fires_is_named_pages_in_red_and_the_rest_in_orange() {
    let firing = |alertname: &str, severity: &str| {
        format!("ALERTS{{alertname=\"{alertname}\",alertstate=\"firing\",severity=\"{severity}\",team=\"myevents\"}}")
    };
    // The first one is there always, and says that the way to the pager is open.
    let watchdog = firing("Watchdog", "none");
    let pending = firing("MyEventsJobDown", "critical").replace("firing", "pending");
    let quiet = [(watchdog.as_str(), "1x100"), (pending.as_str(), "1x100")];
    shows("Firing", &quiet, "{alertname=\"none\"}", Some(0.0), None, "green");
    shows("Firing", &[], "{alertname=\"none\"}", Some(0.0), None, "green");
    for (severity, number, color) in [("critical", 2.0, "red"), ("warning", 1.0, "orange")] {
        let burn = firing("MyEventsErrorBudgetBurn", severity);
        let series = [quiet[0], quiet[1], (burn.as_str(), "1x100")];
        shows("Firing", &series, "{alertname=\"MyEventsErrorBudgetBurn\"}", Some(number), None, color);
    }
    // Of one alert with two severities the worse one counts.
    let both = [firing("MyEventsErrorBudgetBurn", "critical"), firing("MyEventsErrorBudgetBurn", "warning")];
    let both: Vec<_> = both.iter().map(|name| (name.as_str(), "1x100")).collect();
    shows("Firing", &both, "{alertname=\"MyEventsErrorBudgetBurn\"}", Some(2.0), None, "red");
    assert_eq!(panel("Firing")["options"]["textMode"], "name");
    assert_eq!(panel("Firing")["targets"][0]["legendFormat"], "{{alertname}}");
}

/// Grafana gives a panel without a value the colour of the lowest threshold.
#[test]
fn where_nothing_is_known_nothing_is_green() {
    for dashboard in all().into_iter().chain(exporters()) {
        for panel in dashboard.panels().filter(|panel| panel["type"] == "stat") {
            let lowest = &panel["fieldConfig"]["defaults"]["thresholds"]["steps"][0];
            assert_ne!(lowest["color"], "green", "{}: {}", dashboard.file, panel["title"]);
        }
    }
}
