//! Notifications as Alertmanager sends them, for the tests of what takes them.

use serde_json::{Value, json};

/// An alert as Alertmanager sends it.
pub fn alert(status: &str, name: &str, instance: &str, summary: &str) -> Value {
    json!({
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
pub fn notification(alerts: Vec<Value>) -> Value {
    json!({
        "version": "4", "groupKey": "{}:{alertname=\"x\"}", "truncatedAlerts": 0, "status": "firing", "receiver": "dingtalk",
        "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {}, "externalURL": "http://127.0.0.1:9093",
        "alerts": alerts,
    })
}
