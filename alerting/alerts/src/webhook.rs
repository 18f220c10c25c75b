//! The body of Alertmanager's webhook, version 4. `bridge` passes such a notification on, and `inbox` shows it. Read next:
//! [`crate::text`], which makes Markdown of it.
//!
//! Fields that are not named here are ignored: a newer Alertmanager may send more.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error};
use webserver::input::objects;

/// The largest notification that is read, in bytes: about a thousand alerts.
pub const NOTIFICATION_MAX: usize = 2 * 1024 * 1024;

/// One notification: the alerts of a group.
#[derive(Clone, Debug, Deserialize)]
pub struct Webhook {
    /// Only checked: it must be 4.
    #[serde(deserialize_with = "version_4")]
    #[expect(dead_code, reason = "it is checked while it is read")]
    version: String,
    /// There is one at least.
    #[serde(deserialize_with = "some_alerts")]
    pub alerts: Vec<Alert>,
    /// The number of alerts that Alertmanager has left out, if `max_alerts` is set.
    #[serde(rename = "truncatedAlerts", default)]
    pub truncated: usize,
    /// The URL of Alertmanager's own page.
    #[serde(rename = "externalURL", default)]
    pub external_url: String,
}

/// One alert.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Alert {
    /// Whether it is over.
    pub status: Status,
    /// What it is about.
    pub labels: BTreeMap<String, String>,
    /// What it says.
    #[serde(default)]
    pub annotations: BTreeMap<String, String>,
    /// When it began.
    pub starts_at: Timestamp,
    /// In the year 1 while the alert fires.
    pub ends_at: Option<Timestamp>,
}

/// Whether the alert is over. Firing alerts are sorted first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// It goes on.
    Firing,
    /// It is over.
    Resolved,
}

impl Status {
    /// `firing` or `resolved`.
    pub fn word(self) -> &'static str {
        match self {
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

impl Alert {
    /// A label, or an empty text.
    pub fn label(&self, name: &str) -> &str {
        self.labels.get(name).map_or("", String::as_str)
    }

    /// An annotation, or an empty text.
    pub fn annotation(&self, name: &str) -> &str {
        self.annotations.get(name).map_or("", String::as_str)
    }
}

fn version_4<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let version = String::deserialize(deserializer)?;
    if version == "4" {
        Ok(version)
    } else {
        Err(D::Error::custom(format!("{version:?} is not read here, only \"4\"")))
    }
}

fn some_alerts<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Alert>, D::Error> {
    let alerts: Vec<Alert> = objects(deserializer)?;
    if alerts.is_empty() { Err(D::Error::custom("empty: there is nothing to tell")) } else { Ok(alerts) }
}

#[cfg(test)]
mod tests {
    use testing::alertmanager::{alert, notification};

    use super::*;

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
