//! What was counted in the chosen period. `increase()` alone misses what a series had at its first scrape, and that is much where
//! a stack has just been started, and all where somebody makes an event, books it, and looks. So there is one form for it.
//!
//! What it gives is computed by promtool from the dashboards' own expressions.

use e2e::{
    dashboard::{Dashboard, Query, all, exporters},
    promql::selectors,
};
use serde_json::json;

use crate::promtool::check_value;

/// A series that was there before counts with its `increase()`. One that began within the period counts with all that it has; if
/// its process has started again since, then with what the restarts took from it, too, which is the difference between `increase()` and
/// `delta()`. "Before" is the week before the period: a machine that slept has a gap, but its counters go on.
fn counted(selector: &str, by: &str) -> String {
    let sum = if by.is_empty() { "sum".to_owned() } else { format!("sum by ({by}) ") };
    let form = "(
  increase(x[$__range]) and present_over_time(x[7d] offset $__range)
  or (
    last_over_time(x[$__range]) unless resets(x[$__range]) > 0
    or last_over_time(x[$__range]) + increase(x[$__range]) - delta(x[$__range])
  ) unless present_over_time(x[7d] offset $__range)
)";
    let form = form.replace("(x[", &format!("({selector}["));
    sum + &form
}

fn queries() -> Vec<Query> {
    let all: Vec<_> = all().into_iter().chain(exporters()).collect();
    let queries = all.iter().flat_map(Dashboard::queries);
    queries.filter(|query| query.expression.contains("$__range")).collect()
}

#[test]
fn every_query_over_the_chosen_period_has_the_one_form() {
    assert!(queries().len() >= 7, "{}", queries().len());
    for Query { place, expression, .. } in queries() {
        let mut rest = expression.clone();
        for selector in selectors(&expression) {
            let (asked, around) = (selector.text(), selector.aggregation.unwrap_or_default());
            rest = rest.replace(&counted(asked.trim_end_matches("{}"), &around.by.join(", ")), "");
        }
        assert!(!rest.contains("$__range") && !rest.contains("7d"), "{place}: {rest}");
    }
}

/// The expression of a panel of *business*, over ten minutes.
fn over_ten_minutes(title: &str) -> String {
    let found = queries().into_iter().find(|query| query.place.contains(&format!("{title:?}")));
    found.unwrap_or_else(|| panic!("no panel {title:?}")).expression.replace("$__range", "10m")
}

const BOOKINGS: &str = "Bookings";
const BY_EVENT: &str = "Seats booked by event, in the chosen period";

/// How `myevents_bookings_accepted_total` went, a value every 15 s; when one looks, what is right, and how far off it may be.
const CASES: [(&str, &[&str], &str, f64, f64); 9] = [
    ("it was there before", &["0+15x200"], "45m", 600.0, 1.0),
    ("it began within the period", &["_x40 380+2x200"], "12m", 396.0, 0.0),
    ("its first scrape was its last so far", &["_x40 7"], "10m", 7.0, 0.0),
    // 580 and then 50; how much of it lies between scrapes is estimated, as ever.
    ("it began within the period and began again", &["_x40 380+20x10 5+5x100"], "15m", 630.0, 20.0),
    ("it was there before and began again", &["1000+15x130 0+15x100"], "35m", 600.0, 20.0),
    ("it began within the period and ended", &["_x40 3+1x10 stale"], "15m", 13.0, 0.0),
    ("it was away when the period began", &["5+1x100 stale _x30 105+1x100"], "36m", 12.0, 2.0),
    ("it ended when the period began", &["100+1x40 stale"], "19m55s", 0.0, 2.0),
    ("a replica ended, another one took its place", &["0+15x160 stale", "_x162 40+15x100"], "45m", 610.0, 20.0),
];

#[test]
fn what_was_counted_in_the_period_is_right_however_the_series_went() {
    let bookings = over_ten_minutes(BOOKINGS);
    for (how, series, at, right, off) in CASES {
        let series = series.iter().enumerate().map(|(replica, values)| {
            let name = format!("myevents_bookings_accepted_total{{job=\"bookingservice\",instance=\"{replica}\"}}");
            json!({"series": name, "values": values})
        });
        let near = format!("abs(({bookings} or vector(0)) - {right}) <= bool {off}");
        check_value(how, series.collect(), at, &near, json!([{"labels": "{}", "value": 1}]));
    }
}

#[test]
fn an_event_that_is_new_is_counted_beside_one_that_was_there_before() {
    let series = |event: &str, replica: &str, values: &str| {
        let name = format!("myevents_bookings_count{{eventName=\"{event}\",instance=\"{replica}\"}}");
        json!({"series": name, "values": values})
    };
    let series = vec![
        series("Old", "1", "0+15x200"),
        series("Old", "2", "_x170 4+0x30"),
        series("New", "1", "_x179 2"),
        series("Idle", "1", "9+0x200"),
    ];
    let right = json!([
        {"labels": "{eventName=\"Old\"}", "value": 604},
        {"labels": "{eventName=\"New\"}", "value": 2},
        {"labels": "{eventName=\"Idle\"}", "value": 0},
    ]);
    check_value("by event", series, "45m", &format!("round({})", over_ten_minutes(BY_EVENT)), right);
}
