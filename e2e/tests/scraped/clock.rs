//! The services' clock is ahead of Prometheus'. A start behind the first scrape becomes a zero between two real values, which looks like a
//! restart.

use std::process::{Command, Stdio};

use e2e::{SOON, eventually, not_run};

use crate::{
    server::{self, Running},
    system::{System, configuration},
};

/// Both forms that say when a series began.
const FORMS: [(&str, &str); 2] = [("protobuf", "PrometheusProto"), ("openmetrics", "OpenMetricsText1.0.0")];

/// The system with such a clock, and a Prometheus that has scraped it. `None` where something is missing.
async fn ahead(seconds: &str) -> Option<(System, Running)> {
    let faketime = Command::new("faketime").arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    if faketime.is_err() {
        not_run("a service whose clock is ahead (apt install faketime)");
        return None;
    }
    let program = server::program()?;
    let system = System::start(&["faketime", "-f", seconds]);
    let jobs = FORMS.map(|(job, form)| system.job(job, Some(form)));
    let running = server::run(&program, &[&server::features()], &configuration(&jobs)).await;
    eventually(SOON, "all are scraped", async || running.prometheus.query("up == 1").await.len() == 4).await;
    Some((system, running))
}

const SERIES: &str = "myevents_request_total{method=\"PATCH\",status=\"405\"}";

/// Counts 7 of a new series, then 5 more, and lets each be scraped some times: a zero that was too young at the first one has come by then.
async fn count(system: &System, running: &Running) {
    for (more, sum) in [(7, 7.0), (5, 12.0)] {
        system.wrong_methods(more).await;
        eventually(3 * SOON, &format!("{sum} is scraped five times"), async || {
            let values = running.prometheus.values(&format!("{SERIES}[1m]")).await;
            let times = |series: &Vec<(f64, f64)>| series.iter().filter(|(_, value)| *value == sum).count();
            values.len() == FORMS.len() && values.iter().all(|series| times(series) >= 5)
        })
        .await;
    }
}

/// What `expression` says of that series in each form.
async fn says(running: &Running, expression: &str) -> Vec<f64> {
    let found = running.prometheus.query(&expression.replace('x', SERIES)).await;
    found.iter().map(|series| series.value).collect()
}

#[tokio::test]
async fn two_seconds_ahead_nothing_is_counted_twice() {
    let Some((system, running)) = ahead("+2s").await else { return };
    count(&system, &running).await;
    let values = running.prometheus.values(&format!("{SERIES}[1m]")).await;
    assert!(values.iter().all(|series| series[0].1 == 0.0), "no zero before it: {values:?}");
    assert_eq!(says(&running, "resets(x[1m])").await, [0.0, 0.0], "{values:?}");
    assert_eq!(says(&running, "increase(x[1m] anchored)").await, [12.0, 12.0], "{values:?}");
}

/// Where the limit is. The dashboards are right even so, since they count from the first value on: the 7 before the zero are then those behind it.
#[tokio::test]
async fn four_seconds_ahead_a_new_series_seems_to_restart() {
    let Some((system, running)) = ahead("+4s").await else { return };
    count(&system, &running).await;
    let values = running.prometheus.values(&format!("{SERIES}[1m]")).await;
    assert_eq!(says(&running, "resets(x[1m])").await, [1.0, 1.0], "{values:?}");
    assert_eq!(says(&running, "increase(x[1m] anchored)").await, [12.0, 12.0], "{values:?}");
}
