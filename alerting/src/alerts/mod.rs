//! The body of Alertmanager's webhook, version 4. `bridge` passes such a notification on, and `inbox` shows it. Read next: [`text`],
//! which makes Markdown of it.
//!
//! Fields that are not named here are ignored: a newer Alertmanager may send more.

pub(crate) mod text;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};
use webserver::object::objects;

/// The largest notification that is read, in bytes: about a thousand alerts.
pub(crate) const NOTIFICATION_MAX: usize = 2 * 1024 * 1024;

/// One notification: the alerts of a group.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Webhook {
    /// Only checked: it must be 4.
    #[serde(deserialize_with = "version_4")]
    #[expect(dead_code, reason = "it is checked while it is read")]
    version: (),
    #[serde(deserialize_with = "some_alerts")]
    pub(crate) alerts: Vec<Alert>,
    /// The number of alerts that Alertmanager has left out, if `max_alerts` is set.
    #[serde(rename = "truncatedAlerts", default)]
    pub(crate) truncated: usize,
    /// The URL of Alertmanager's own page.
    #[serde(rename = "externalURL", default)]
    pub(crate) external_url: String,
}

/// One alert.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Alert {
    pub(crate) status: Status,
    pub(crate) labels: BTreeMap<String, String>,
    #[serde(default)]
    pub(crate) annotations: BTreeMap<String, String>,
    #[serde(rename = "startsAt")]
    pub(crate) starts_at: Timestamp,
    /// In the year 1 while the alert fires.
    #[serde(rename = "endsAt")]
    pub(crate) ends_at: Option<Timestamp>,
}

/// Whether the alert is over. Firing alerts are sorted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Status {
    Firing,
    Resolved,
}

impl Status {
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Alert {
    pub(crate) fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    pub(crate) fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }
}

fn version_4<'de, D: Deserializer<'de>>(deserializer: D) -> Result<(), D::Error> {
    let version = String::deserialize(deserializer)?;
    if version == "4" { Ok(()) } else { Err(D::Error::custom(format!("{version:?} is not read here, only \"4\""))) }
}

fn some_alerts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Alert>, D::Error> {
    let alerts: Vec<Alert> = objects(deserializer)?;
    if alerts.is_empty() { Err(D::Error::custom("empty: there is nothing to tell")) } else { Ok(alerts) }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// An alert as Alertmanager sends it.
    pub(crate) fn alert(status: &str, name: &str, instance: &str, summary: &str) -> serde_json::Value {
        serde_json::json!({
            "status": status,
            "labels": { "alertname": name, "job": "bookingservice", "instance": instance, "severity": "critical", "team": "myevents" },
            "annotations": {
                "summary": summary,
                "runbook_url": format!("http://127.0.0.1:8026/runbooks/{name}"),
                "dashboard_url": "http://127.0.0.1:3000/d/myevents-overview",
            },
            "startsAt": "2026-11-30T03:00:00.123456789+01:00",
            "endsAt": if status == "firing" { "0001-01-01T00:00:00Z" } else { "2026-11-30T02:10:00Z" },
            "generatorURL": "http://prometheus:9090/graph?g0.expr=x",
            "fingerprint": "4e4c4c3d872bf6d8",
        })
    }

    /// A notification as Alertmanager sends it.
    pub(crate) fn notification(alerts: Vec<serde_json::Value>) -> serde_json::Value {
        serde_json::json!({
            "version": "4", "groupKey": "{}:{alertname=\"x\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "dingtalk",
            "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093",
            "alerts": alerts,
        })
    }

    /// The alerts of one.
    pub(crate) fn read(alerts: Vec<serde_json::Value>) -> Webhook {
        serde_json::from_value(notification(alerts)).unwrap()
    }

    #[test]
    fn what_alertmanager_sends_is_read_and_another_version_is_refused() {
        let right = notification(vec![alert("firing", "A", "1", "s"), alert("resolved", "A", "2", "s")]);
        let read: Webhook = serde_json::from_value(right.clone()).unwrap();
        assert_eq!(
            read.alerts.iter().map(|alert| alert.status).collect::<Vec<_>>(),
            [Status::Firing, Status::Resolved]
        );
        assert_eq!(read.alerts[0].starts_at.to_string(), "2026-11-30T02:00:00.123456789Z");
        for (field, wrong) in [("version", "3".into()), ("alerts", serde_json::json!([])), ("alerts", "x".into())] {
            let mut body = right.clone();
            body[field] = wrong;
            assert!(serde_json::from_value::<Webhook>(body).is_err(), "{field}");
        }
    }
}
