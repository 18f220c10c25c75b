//! What was counted in the chosen period, by the dashboards' own expressions: to the last one, however a process began and ended.
//!
//! Time is short here: a scrape each half second, a period of twelve. Nothing is counted within the second before or behind the ends
//! of the period, so what is right is no matter of chance.

use std::{collections::BTreeMap, time::Duration};

use e2e::dashboard::{Dashboard, all};
use serde_json::json;

use crate::{
    server,
    target::{Life, Series, Targets},
};

const BEGIN: f64 = 12.0;
const END: f64 = 24.0;

const BOOKINGS: &str = "Bookings";
const BY_EVENT: &str = "Seats booked by event, in the chosen period";

/// The expression of a panel of *business*, over the period.
fn over_the_period(title: &str) -> String {
    let all = all();
    let mut queries = all.iter().flat_map(Dashboard::queries);
    let found =
        queries.find(|query| query.place.contains(&format!("{title:?}")) && query.expression.contains("$__range"));
    let found = found.unwrap_or_else(|| panic!("no panel {title:?}"));
    found.expression.replace("$__range", &format!("{}s", END - BEGIN))
}

/// What happened, the processes at each address, and what is right.
type Case = (&'static str, Vec<Vec<Life>>, u32);

fn cases() -> Vec<Case> {
    vec![
        ("it was there before", vec![vec![Life::from(0.0, &[(1.0, 600), (15.0, 5), (20.0, 7)])]], 12),
        ("it began within the period", vec![vec![Life::from(14.0, &[(14.0, 380), (18.0, 16)])]], 396),
        ("its first scrape was its last so far", vec![vec![Life::from(20.0, &[(20.0, 7)]).scraped_once()]], 7),
        (
            "it began within the period and began again",
            vec![vec![Life::from(14.0, &[(14.0, 580)]).until(17.0), Life::from(18.0, &[(18.0, 5), (20.0, 45)])]],
            630,
        ),
        (
            "it was there before and began again",
            vec![vec![Life::from(0.0, &[(1.0, 1000), (15.0, 100)]).until(17.0), Life::from(18.0, &[(18.0, 80)])]],
            180,
        ),
        (
            "it began again, and had counted more than before when it was seen",
            vec![vec![Life::from(0.0, &[(1.0, 100)]).until(15.0), Life::from(17.0, &[(17.0, 130)])]],
            130,
        ),
        ("it began within the period and ended", vec![vec![Life::from(14.0, &[(14.0, 13)]).until(17.0)]], 13),
        (
            "it was killed, with three that were counted after its last scrape",
            vec![vec![Life::from(0.0, &[(1.0, 10), (15.0, 5), (17.0, 3)]).until(17.0)]],
            5,
        ),
        (
            "nobody reached it when the period began",
            vec![vec![Life::from(0.0, &[(1.0, 5), (8.0, 100), (18.0, 12)]).away(4.0, 14.0)]],
            12,
        ),
        (
            "its clock is ahead, so that its first value may come before the zero",
            vec![vec![Life::from(14.0, &[(14.0, 7), (18.0, 5)]).ahead(0.2)]],
            12,
        ),
        ("it ended when the period began", vec![vec![Life::from(0.0, &[(1.0, 140)]).until(11.5)]], 0),
        (
            "a replica ended, another one took its place",
            vec![
                vec![Life::from(0.0, &[(1.0, 100), (15.0, 500)]).until(18.0)],
                vec![Life::from(18.0, &[(18.0, 40), (20.0, 70)])],
            ],
            610,
        ),
        (
            "another one came to the address where one had ended long before",
            vec![vec![Life::from(0.0, &[(1.0, 20)]).until(4.0), Life::from(16.0, &[(16.0, 22)])]],
            22,
        ),
    ]
}

#[tokio::test]
async fn what_was_counted_in_the_period_is_right_however_the_processes_went() {
    let cases = cases();
    let mut targets: Vec<(String, Vec<Series>)> = Vec::new();
    for (how, addresses, _) in &cases {
        let series =
            |lives: &Vec<Life>| vec![Series { name: "myevents_bookings_accepted_total", lives: lives.clone() }];
        targets.extend(addresses.iter().map(|lives| ((*how).to_owned(), series(lives))));
    }
    // An event that is new is counted beside one that was there before, and beside one that nobody books.
    let event = |name, lives| Series { name, lives: vec![lives] };
    let [old, new, idle] = [
        r#"myevents_bookings_count{eventName="Old"}"#,
        r#"myevents_bookings_count{eventName="New"}"#,
        r#"myevents_bookings_count{eventName="Idle"}"#,
    ];
    targets.push((
        "events".to_owned(),
        vec![
            event(old, Life::from(0.0, &[(1.0, 500), (15.0, 600)])),
            event(new, Life::from(20.0, &[(20.0, 2)])),
            event(idle, Life::from(0.0, &[(1.0, 9)])),
        ],
    ));
    targets.push(("events".to_owned(), vec![event(old, Life::from(16.0, &[(16.0, 4)]))]));

    let scripts = Targets::start(targets.iter().map(|(_, series)| series.clone()).collect()).await;
    let configured = targets.iter().enumerate().map(|(number, (how, _))| {
        let labels = json!({"__metrics_path__": format!("/{number}"), "instance": number.to_string(), "how": how});
        json!({"targets": [scripts.address], "labels": labels})
    });
    let Some(running) = server::start(&configured.collect::<Vec<_>>()).await else { return };
    let end = scripts.begin() + END;
    tokio::time::sleep(Duration::from_secs_f64(END + 1.0)).await; // until the script has ended, and a scrape
    let bookings = over_the_period(BOOKINGS).replacen("sum(", "sum by (how) (", 1);
    let found = running.prometheus.query_at(&bookings, end).await;
    let found: BTreeMap<_, _> = found.iter().map(|one| (one.labels["how"].as_str(), one.value)).collect();
    let wrong: Vec<_> = cases
        .iter()
        .map(|(how, _, right)| (*how, f64::from(*right), found.get(how).copied().unwrap_or_default()))
        .filter(|(_, right, shown)| (right - shown).abs() > 1e-9)
        .collect();
    assert!(wrong.is_empty(), "what is right, and what is shown: {wrong:#?}");

    let found = running.prometheus.query_at(&over_the_period(BY_EVENT), end).await;
    let found: BTreeMap<_, _> = found.iter().map(|one| (one.labels["eventName"].as_str(), one.value)).collect();
    assert_eq!(found, [("Old", 604.0), ("New", 2.0), ("Idle", 0.0)].into());
}
