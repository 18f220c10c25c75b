//! The services' metrics in every form, as Prometheus of today and of Debian 12 take them.

use e2e::{Api, SOON, answer::text, dashboard::list, eventually, prometheus::Prometheus, raw};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    server,
    system::{System, configuration, now},
};

const FORMS: [(&str, &str); 3] =
    [("protobuf", "PrometheusProto"), ("openmetrics", "OpenMetricsText1.0.0"), ("text", "PrometheusText0.0.4")];

/// Waits until each series of the expression has such a value, and there are so many.
async fn shows(prometheus: &Prometheus, expression: &str, series: usize, value: f64) {
    eventually(SOON, &format!("{series} × {expression} is {value}"), async || {
        let found = prometheus.query(expression).await;
        found.len() == series && found.iter().all(|one| (one.value - value).abs() < 1e-9)
    })
    .await;
}

#[tokio::test]
async fn prometheus_of_today_takes_every_form_and_all_that_is_in_it() {
    let Some(program) = server::program() else { return };
    let system = System::start(&[]);
    let jobs = FORMS.map(|(job, form)| system.job(job, Some(form)));
    let running = server::run(&program, &[&server::features()], &configuration(&jobs)).await;
    let prometheus = &running.prometheus;
    shows(prometheus, "up", 6, 1.0).await;

    let born = now();
    let event = system.event("春节 \"Late\" \\").await;
    let first = system.book(&event, 7).await;
    system.wrong_methods(3).await;
    let bookings = format!("myevents_bookings_count{{eventID=\"{event}\"}}");
    shows(prometheus, &bookings, 3, 7.0).await;
    begins_with_zero(prometheus, &bookings, "protobuf", born, 7.0).await;
    let second = system.book(&event, 5).await;
    shows(prometheus, &bookings, 3, 12.0).await;
    begins_with_zero(prometheus, &bookings, "protobuf", born, 12.0).await;
    let refused = "myevents_request_total{method=\"PATCH\",status=\"405\"}";
    shows(prometheus, refused, 3, 3.0).await;
    for job in ["protobuf", "openmetrics"] {
        begins_with_zero(prometheus, refused, job, born, 3.0).await;
    }

    types(prometheus, &system.events_ops()).await;
    types(prometheus, &system.bookings_ops()).await;
    for (name, label) in [("eventName", "春节 \"Late\" \\"), ("eventID", event.as_str())] {
        let values = prometheus.data(&format!("label/{name}/values"), &[]).await;
        assert!(list(&values).any(|value| value == label), "{values}");
    }
    buckets(prometheus).await;
    quantiles(prometheus).await;
    for job in ["protobuf", "openmetrics"] {
        points_lead_to_requests(prometheus, &system, job, &[&first, &second]).await;
    }
    assert_eq!(running.complaints(), Vec::<String>::new());
}

/// The first value is a zero, not long before the series was made, and what was counted is right at every moment.
async fn begins_with_zero(prometheus: &Prometheus, series: &str, job: &str, born: f64, right: f64) {
    let series = series.replace('{', &format!("{{job=\"{job}\","));
    let values = prometheus.values(&format!("{series}[1m]")).await.concat();
    let (zero, first) = (values[0], values[1]);
    assert!(zero.1 == 0.0 && born - 2.6 < zero.0 && zero.0 < first.0, "{series}, made at {born}: {values:?}");
    assert!(values.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{series}: {values:?}");
    shows(prometheus, &format!("increase({series}[1m] anchored)"), 1, right).await;
}

async fn types(prometheus: &Prometheus, ops: &Api) {
    let known = prometheus.data("metadata", &[]).await;
    for (name, family) in ops.metrics().await.families {
        let kinds: Vec<_> = list(&known[&name]).map(|one| one["type"].as_str().unwrap()).collect();
        assert!(kinds.contains(&family.kind.as_str()), "{name}: {kinds:?}, and not {}", family.kind);
    }
}

/// In protobuf also native ones, beside those with bounds, which all forms have.
async fn buckets(prometheus: &Prometheus) {
    let family = "myevents_request_duration_seconds";
    for (job, _) in FORMS {
        let count = format!("count(count by (le) ({family}_bucket{{job=\"{job}\"}}))");
        shows(prometheus, &count, 1, 14.0).await;
    }
    // Equal where the moment is the same.
    let same = format!("histogram_count({family}) - ignoring(__name__) {family}_count");
    let found = prometheus.query(&same).await;
    assert!(found.iter().all(|one| one.labels["job"] == "protobuf" && one.value.abs() < 1e-9), "{found:?}");
    assert!(!found.is_empty(), "there is no native histogram");
    let quantile = "histogram_quantile(0.99, sum(rate(myevents_request_duration_seconds[1m]))) > 0";
    assert_eq!(prometheus.query(quantile).await.len(), 1);
}

/// A start would give them a zero, too.
async fn quantiles(prometheus: &Prometheus) {
    let quantiles = "myevents_upstream_latency_microseconds{method=\"POST\",route=\"/events/{id}/bookings\"}";
    let found = prometheus.query(&format!("min_over_time({quantiles}[1m]) > 0")).await;
    assert_eq!(found.len(), 3 * FORMS.len(), "{found:?}");
}

/// From a point of a graph to what was behind it: a line of the log, the story, and the booking that was made.
async fn points_lead_to_requests(prometheus: &Prometheus, system: &System, job: &str, bookings: &[&str]) {
    let log = system.server.log();
    let lines: Vec<Value> = log.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
    let requests = "myevents_request_duration_seconds_bucket{method=\"POST\",route=\"/events/{id}/bookings\"}";
    for points in [requests, "myevents_messages_publish_duration_seconds_bucket", "myevents_message_age_seconds_bucket"]
    {
        let query = points.replace("_bucket", &format!("_bucket{{job=\"{job}\"}}")).replace("}{", ",");
        let traces = prometheus.exemplars(&query).await;
        assert!(!traces.is_empty(), "{query} has no exemplar");
        for trace in traces {
            assert!(lines.iter().any(|line| line["trace_id"] == *trace), "{query}: {trace} is not in the log");
            let stories = system.bookings_ops().get(&format!("/traces/{trace}")).await.expect(200).json();
            let made = text(list(&stories["items"]).next().unwrap(), "resource_id");
            if points == requests {
                assert!(bookings.contains(&made.as_str()), "{made}");
                system.server.bookings().get(&format!("/bookings/{made}")).await.expect(200);
            }
        }
    }
}

#[tokio::test]
async fn debians_prometheus_takes_text_and_openmetrics() {
    let Some(program) = server::debians() else { return };
    let system = System::start(&[]);
    let text = json!({"job_name": "text", "static_configs": [{"targets": [text_only(&system.bookings_ops()).await]}]});
    let configuration = configuration(&[system.job("openmetrics", None), text]);
    let running = server::run(&program, &["--enable-feature=exemplar-storage"], &configuration).await;
    let prometheus = &running.prometheus;
    shows(prometheus, "up", 3, 1.0).await;
    let event = system.event("春节 \"Late\" \\").await;
    system.book(&event, 7).await;
    shows(prometheus, &format!("myevents_bookings_count{{eventID=\"{event}\"}}"), 2, 7.0).await;
    types(prometheus, &system.bookings_ops()).await;
    assert!(!prometheus.exemplars("myevents_request_duration_seconds_bucket").await.is_empty());
    assert_eq!(running.complaints(), Vec::<String>::new());
}

/// The address of somebody who asks on as a client would that knows only text. This Prometheus always asks for OpenMetrics first.
async fn text_only(ops: &Api) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (here, there) = (listener.local_addr().unwrap(), ops.address());
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut head = Vec::new();
            while !head.ends_with(b"\r\n\r\n") && stream.read_buf(&mut head).await.is_ok_and(|read| read > 0) {}
            let Some(answer) = raw::send(there, &raw::request("GET", "/metrics", &[], b"")).await else { continue };
            let (kind, length) = (answer.header("content-type").unwrap(), answer.body.len());
            let head = format!(
                "HTTP/1.1 200 OK\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n"
            );
            let _ = stream.write_all(&[head.as_bytes(), &answer.body].concat()).await; // it may have gone away
        }
    });
    here.to_string()
}
