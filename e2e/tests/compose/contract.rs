//! What every query of this repository may rely on, asked of a running Prometheus while nobody does anything: each selector has a
//! series, no value is a division by zero, and Prometheus has no remark. [`e2e::asked`] reads them, [`crate::missing`] names what has
//! no series.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant},
};

use e2e::{
    asked::{Asked, By, everything},
    dashboard::{with_values, with_values_over},
    eventually,
    prometheus::Prometheus,
    promql::{Selector, selectors},
    rules,
};
use reqwest::Method;

use crate::{
    missing::{LISTED, NOT_HERE, NotHere},
    stack::Stack,
};

/// A rule that is computed every 2 minutes, from one that is computed every 30 s.
const UNTIL_RECORDED: Duration = Duration::from_secs(150);

/// Does once what a user would have done before: a batch job reports how it ended, and the booking service gets an event, when
/// Prometheus has already seen it without. Rules need a while for that.
pub(crate) async fn prepare(stack: &Stack, prometheus: &Prometheus) {
    let pushgateway = stack.api("pushgateway", 9091);
    let nightly = pushgateway.request(Method::POST, "/metrics/job/nightly").body("nightly_rows 1\n");
    e2e::api::send(nightly).await.expect(200);
    let received = "myevents_message_age_seconds_count{job=\"bookingservice\"}";
    let watched = async || (!prometheus.query(received).await.is_empty()).then_some(());
    eventually(Duration::from_secs(30), "Prometheus asks the booking service", watched).await;
    let event = e2e::samples::event(&e2e::samples::unique("Later"), 10);
    stack.api("eventservice", 8181).post("/events", &event).await.expect(201);
}

/// Checks all of it, and says everything that is wrong at once.
pub(crate) async fn holds(prometheus: &Prometheus) {
    let (asked, deadline) = (everything(), Instant::now() + UNTIL_RECORDED);
    let mut not_here = Vec::new();
    for one in &NOT_HERE {
        if prometheus.query(one.unless).await.is_empty() {
            println!("not shown: {}", one.why);
            not_here.push(one);
        }
    }
    let mut wrong = selected(prometheus, &asked, &not_here).await;
    while !wrong.is_empty() && Instant::now() < deadline {
        tokio::time::sleep(Duration::from_secs(5)).await;
        wrong = selected(prometheus, &asked, &not_here).await;
    }
    for Asked { place, expression, .. } in &asked {
        // Once as it is; and as it will be when it has been quiet for as long as it looks back.
        let as_it_is = with_values(expression);
        for expression in [as_it_is.clone(), quiet(expression)] {
            match prometheus.try_query(&expression).await {
                Ok(found) => {
                    let odd = found.into_iter().find(|one| !one.value.is_finite());
                    wrong.extend(odd.map(|one| format!("{place}: {expression} is {} for {:?}", one.value, one.labels)));
                }
                // Where a series began within the window, Prometheus guesses for each bucket by itself how long before.
                Err(cause) if cause.contains("fixed for monotonicity") && expression == as_it_is => {}
                Err(cause) => wrong.push(format!("{place}: {cause}")),
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    println!("      {} queries with {} selectors", asked.len(), all_selectors(&asked).len());
    for one in &LISTED {
        println!("      no series of {}… ({}); seen in the drill: {}", one.selectors, one.why, one.drill);
    }
}

/// What is wrong with the selectors, and with the lists of those that have no series.
async fn selected(prometheus: &Prometheus, asked: &[Asked], not_here: &[&NotHere]) -> Vec<String> {
    assert!(LISTED.len() <= 10, "the list is for exceptions");
    let (mut wrong, mut used) = (Vec::new(), BTreeSet::new());
    for (text, (selector, places)) in all_selectors(asked) {
        let reasons = LISTED.iter().filter(|one| one.is(&selector)).map(|one| one.why);
        let reasons: Vec<_> =
            reasons.chain(not_here.iter().filter(|one| one.is(&selector)).map(|one| one.why)).collect();
        match (prometheus.query(&text).await.is_empty(), reasons.is_empty()) {
            (true, true) => wrong.push(format!("no series {text}, for {}", places.join("; "))),
            // An alert may be pending for a moment, on a busy machine.
            (false, false) if selector.metric == "ALERTS" && !text.contains("firing") => {}
            (false, false) => wrong.push(format!("{text} has a series, and is called missing: {reasons:?}")),
            (true, false) | (false, true) => {}
        }
        used.extend(reasons);
    }
    let rows = LISTED.iter().map(|one| (one.selectors, one.why));
    let rows = rows.chain(not_here.iter().map(|one| (one.metrics, one.why)));
    wrong.extend(rows.filter(|(_, why)| !used.contains(why)).map(|(what, _)| format!("nobody asks for {what}")));
    wrong
}

/// Each once, with who asks. What is recorded must be there, too, even if nobody asks for it.
fn all_selectors(asked: &[Asked]) -> BTreeMap<String, (Selector, Vec<String>)> {
    let mut all: BTreeMap<String, (Selector, Vec<String>)> = BTreeMap::new();
    let recorded = rules::all().into_iter().filter(|rule| !rule.alert);
    let recorded =
        recorded.map(|rule| Asked { by: By::Recorded(rule.name.clone()), place: rule.file, expression: rule.name });
    for Asked { place, expression, .. } in asked.iter().chain(&recorded.collect::<Vec<_>>()) {
        for selector in selectors(&with_values(expression)) {
            let (_, places) = all.entry(selector.text()).or_insert((selector, Vec::new()));
            if !places.contains(place) {
                places.push(place.clone());
            }
        }
    }
    all
}

/// As if it had been quiet for days: what is recorded is computed anew, and each window is a minute long.
fn quiet(expression: &str) -> String {
    let recorded: Vec<_> = rules::all().into_iter().filter(|rule| !rule.alert).collect();
    let mut text = expression.to_owned();
    for _ in 0..2 {
        // One may be made of another.
        for rule in &recorded {
            text = replaced(&text, &rule.name, &format!("({})", rule.expression.trim()));
        }
    }
    with_short_windows(&with_values_over("1m", &text))
}

/// Only where the name stands alone: an expression takes no matchers, and no window.
fn replaced(text: &str, name: &str, by: &str) -> String {
    let mut parts = text.split(name);
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let part_of_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == ':';
        let alone = !made.ends_with(part_of_name) && !part.starts_with(|c| part_of_name(c) || c == '{' || c == '[');
        made += if alone { by } else { name };
        made += part;
    }
    made
}

/// `[5m]` becomes `[1m]`. What is asked for within a day in steps stays.
fn with_short_windows(text: &str) -> String {
    let mut parts = text.split('[');
    let mut made = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (window, rest) = part.split_once(']').unwrap_or((part, ""));
        let window = if window.contains(':') { window } else { "1m" };
        made += &format!("[{window}]{rest}");
    }
    made
}

#[test]
fn a_query_is_asked_as_if_it_had_been_quiet_for_days() {
    let recorded = "rate(a[5m]) > max_over_time(rabbitmq:up:count[10m]) - rabbitmq:up:count";
    let right = r#"rate(a[1m]) > max_over_time(rabbitmq:up:count[1m]) - (count(up{job="rabbitmq"} == 1) or vector(0))"#;
    assert_eq!(quiet(recorded), right);
    assert_eq!(quiet("min_over_time(a[10m])[1d:5m]"), "min_over_time(a[1m])[1d:5m]");
}
