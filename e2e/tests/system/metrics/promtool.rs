//! Prometheus' own linter, where it is installed. What it may say is listed, word for word; anything else is an error.

use std::collections::BTreeSet;

use e2e::{System, not_run, samples};
use testing::promtool::check_metrics;

use crate::steps::{book, on_sale, view_shows};

/// The chapter fixes this name and its labels, so it keeps them against the linter's taste: no `_total`, the suffix
/// `_count` that histograms have, and camelCase.
const ALLOWED: [&str; 5] = [
    UNIT,
    r#"myevents_bookings_count counter metrics should have "_total" suffix"#,
    r#"myevents_bookings_count non-histogram and non-summary metrics should not have "_count" suffix"#,
    "myevents_bookings_count label names should be written in 'snake_case' not 'camelCase'",
    "myevents_bookings_count label names should be written in 'snake_case' not 'camelCase'",
];

/// go-micro's unit: the summary is for who knows it from there. `myevents_request_duration_seconds` has the right one.
const UNIT: &str = r#"myevents_upstream_latency_microseconds use base unit "seconds" instead of "microseconds""#;

#[tokio::test]
async fn promtool_complains_about_nothing_but_the_name_that_the_chapter_fixes() {
    let system = System::start();
    let event = on_sale(&system, &samples::event(&samples::unique("春节 \"Late\" \\"), 10)).await;
    book(&system, &event, 2).await.expect(201);
    view_shows(&system, &event, 2).await;
    for (ops, allowed) in [(&system.events_ops, &[UNIT][..]), (&system.bookings_ops, &ALLOWED)] {
        let text = ops.get("/metrics").await.expect(200).text();
        let Some(said) = check_metrics(&text) else {
            return not_run("promtool check metrics (install Prometheus: `apt install prometheus`)");
        };
        let said: BTreeSet<_> = said.lines().collect();
        assert_eq!(said, allowed.iter().copied().collect());
    }
}
