//! Alerts in the cluster: the rules are loaded, an alert arrives as a message of DingTalk and as a mail, and so does its end.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use e2e::{
    dashboard::list,
    eventually,
    kubectl::{Forward, kubectl},
    notifications::Notifications,
    rules,
};
use serde_json::Value;

use crate::{
    cluster::Cluster,
    watched::{FOLLOWS, Watch, targets_are_right},
};

/// A critical one that comes soon: all pods of a service are there, and none can be scraped.
const ALERT: &str = "MyEventsJobDown";

/// The dead-man's switch is pressed once a minute, and Alertmanager looks each 20 s whether it is time.
const PRESSED: Duration = Duration::from_secs(85);

/// Rules that read days of samples are computed every 2 minutes.
const COMPUTED: Duration = Duration::from_secs(150);

/// A scrape, an evaluation, `for: 1m`, `group_wait: 5s`, and as much again for a busy machine.
const FIRES: Duration = Duration::from_secs(180);

/// `group_interval: 5m`: a group is sent again so long after the last time at the earliest.
const ENDS: Duration = Duration::from_secs(360);

/// Where alerts arrive in the cluster, and the way there.
struct Arrivals {
    notifications: Notifications,
    _ways: [Forward; 2],
}

impl Arrivals {
    fn open() -> Self {
        let ways = [Forward::to("svc/inbox", 8026), Forward::to("svc/mailpit", 8025)];
        let [inbox, mailpit] = ways.each_ref().map(|way| way.api.clone());
        Self { notifications: Notifications { inbox, mailpit }, _ways: ways }
    }

    /// As a message of DingTalk, and as a mail.
    async fn both(&self, word: &str, timeout: Duration) {
        let there = async || {
            tokio::time::sleep(Duration::from_secs(1)).await; // it takes minutes: once a second is enough
            (self.notifications.by_dingtalk(word, ALERT).await && self.notifications.by_mail(word, ALERT).await)
                .then_some(())
        };
        eventually(timeout, &format!("{ALERT} has arrived twice as {word}"), there).await;
    }

    async fn the_switch_is_pressed(&self) {
        let pressed = async || self.notifications.since_heartbeat().await.filter(|ago| *ago < PRESSED);
        eventually(PRESSED, "the dead-man's switch gets the Watchdog", pressed).await;
    }
}

pub(crate) async fn every_rule_is_loaded(cluster: &Cluster) {
    let kind = |alert| if alert { "alerting" } else { "recording" };
    let rules = rules::all().into_iter().map(|rule| (rule.file, kind(rule.alert).to_owned(), rule.name));
    let right: BTreeMap<_, usize> = counted(rules);
    let (watch, began) = (Watch::open(), Instant::now());
    loop {
        let answer = watch.prometheus.0.get("/api/v1/rules").await.expect(200).json();
        let (mut found, mut waiting) = (Vec::new(), Vec::new());
        for group in list(&answer["data"]["groups"]) {
            let text = |value: &Value| value.as_str().unwrap().to_owned();
            let file = text(&group["file"]).rsplit('/').next().unwrap().to_owned();
            for rule in list(&group["rules"]) {
                assert_ne!(rule["health"], "err", "{rule}");
                if rule["health"] != "ok" {
                    waiting.push(text(&rule["name"]));
                }
                found.push((file.clone(), text(&rule["type"]), text(&rule["name"])));
            }
        }
        assert_eq!(counted(found), right, "what Prometheus has loaded is not what is in prometheus/rules");
        if waiting.is_empty() {
            break;
        }
        assert!(began.elapsed() < COMPUTED, "never computed: {waiting:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    cluster.step(&format!("all {} rules are loaded, and none fails", right.values().sum::<usize>()));
}

fn counted<T: Ord>(all: impl IntoIterator<Item = T>) -> BTreeMap<T, usize> {
    let mut counts = BTreeMap::new();
    all.into_iter().for_each(|one| *counts.entry(one).or_default() += 1);
    counts
}

/// As after a slip of the pen: Prometheus asks the pods of the event service at a port where nobody listens. Its callers notice nothing.
pub(crate) async fn one_arrives(cluster: &Cluster) {
    let arrivals = Arrivals::open();
    arrivals.the_switch_is_pressed().await;
    cluster.step("the dead-man's switch gets the Watchdog");

    scraped_at(9);
    arrivals.both("firing", FIRES).await;
    scraped_at(9100);
    targets_are_right(&Watch::open(), FOLLOWS).await;
    cluster.step(&format!("{ALERT} arrives as a message of DingTalk and as a mail"));
}

fn scraped_at(port: u16) {
    let port = format!("prometheus.io/port={port}");
    kubectl(&["annotate", "pods", "--selector", "app.kubernetes.io/name=eventservice", "--overwrite", &port]);
}

/// Alertmanager takes its time over that: much later, so that nobody waits for it.
pub(crate) async fn its_end_arrives(cluster: &Cluster) {
    let arrivals = Arrivals::open();
    arrivals.both("resolved", ENDS).await;
    arrivals.the_switch_is_pressed().await;
    cluster.step("that it is over has arrived, too, and the dead-man's switch still gets the Watchdog");
}
