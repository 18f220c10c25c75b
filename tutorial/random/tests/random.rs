//! The demo as it is started: what its flags refuse, what a scrape gets in each of the three forms, and how it ends.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::{
    io::{BufRead, BufReader, Read},
    process::{Child, ChildStderr, Command, Output, Stdio},
};

use serde_json::Value;
use testing::{SOON, eventually, eventually_mut, not_run, promtool::check_metrics};

const PROGRAM: &str = env!("CARGO_BIN_EXE_random");
const PROTOBUF: &str = "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited";

/// A demo that runs; it is killed when this is dropped.
struct Demo {
    child: Child,
    log: BufReader<ChildStderr>,
    url: String,
}

impl Demo {
    fn start(flags: &[&str]) -> Self {
        let mut command = Command::new(PROGRAM);
        command.args(["--listen-address=127.0.0.1:0", "--log-format=json", "--rust-log=info"]).args(flags);
        let mut child = command.stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let mut line = String::new();
        log.read_line(&mut line).unwrap();
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|cause| panic!("{cause}: {line}"));
        let url = format!("http://{}/metrics", ready["address"].as_str().unwrap());
        Self { child, log, url }
    }

    /// What a scrape gets that asks for a form: its media type, and its body.
    async fn scrape(&self, accept: &str) -> (String, Vec<u8>) {
        let answer = reqwest::Client::new().get(&self.url).header("Accept", accept).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let form = answer.headers()["Content-Type"].to_str().unwrap().to_owned();
        (form, answer.bytes().await.unwrap().to_vec())
    }

    async fn text(&self) -> String {
        String::from_utf8(self.scrape("").await.1).unwrap()
    }

    /// The text, once a histogram has this many observations.
    async fn text_after(&self, calls: f64) -> String {
        let counted = async || {
            Some(self.text().await).filter(|text| value(text, "rpc_durations_histogram_seconds_count") >= calls)
        };
        eventually(SOON, "calls are counted", counted).await
    }
}

impl Drop for Demo {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn value(text: &str, series: &str) -> f64 {
    let line = text.lines().find_map(|line| line.strip_prefix(series)?.strip_prefix(' '));
    line.unwrap_or_else(|| panic!("no {series} in {text}")).parse().unwrap()
}

/// The upper bounds of the histogram's buckets, without the last, which has none.
fn bounds(text: &str) -> Vec<f64> {
    let rest = text.split("rpc_durations_histogram_seconds_bucket{le=\"").skip(1);
    let bounds = rest.map(|rest| rest.split('"').next().unwrap().parse().unwrap());
    bounds.filter(|bound: &f64| bound.is_finite()).collect()
}

fn ended(flags: &[&str]) -> Output {
    Command::new(PROGRAM).args(flags).output().unwrap()
}

#[test]
fn every_wrong_flag_is_named_at_once_with_what_would_be_right() {
    let output = ended(&[
        "--listen-address=:8080",
        "--uniform.domain=0",
        "--normal.domain=NaN",
        "--normal.mean",
        "-0.1",
        "--oscillation-period=10",
    ]);
    let said = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{said}");
    for line in [
        "--listen-address) is \":8080\": it must be an IP address and a port",
        "--uniform.domain is \"0\": it must be a number of seconds from 0.000001 to 10",
        "--normal.domain is \"NaN\": it must be a number of seconds from 0.000001 to 10",
        "--normal.mean is \"-0.1\": it must be a number of seconds from 0 to 10",
        "--oscillation-period is \"10\": it must be from 1s to 24h, like 10m",
    ] {
        assert!(said.contains(line), "{line} is missing in {said}");
    }
}

#[test]
fn the_help_names_the_flags_of_the_article_and_a_port_in_use_the_one_that_changes_it() {
    let help = String::from_utf8(ended(&["--help"]).stdout).unwrap();
    for flag in ["--listen-address", "--uniform.domain", "--normal.domain", "--normal.mean", "--oscillation-period"] {
        assert!(help.contains(&format!("{flag} <")), "{flag} is missing in {help}");
    }
    assert!(help.contains("[default: 127.0.0.1:8080]"), "{help}");
    let demo = Demo::start(&[]);
    let taken = demo.url.strip_prefix("http://").unwrap().strip_suffix("/metrics").unwrap();
    let said = String::from_utf8(ended(&["--listen-address", taken]).stderr).unwrap();
    assert!(said.contains("choose another address with --listen-address"), "{said}");
}

#[tokio::test]
async fn the_text_has_a_summary_for_each_service_and_twenty_buckets_above_zero() {
    let demo = Demo::start(&["--oscillation-period=1s"]);
    let text = demo.text_after(10.0).await;
    for service in ["uniform", "normal", "exponential"] {
        for quantile in ["0.5", "0.9", "0.99"] {
            let shown =
                value(&text, &format!("rpc_durations_seconds{{service=\"{service}\",quantile=\"{quantile}\"}}"));
            assert!((0.0..0.01).contains(&shown), "{service} {quantile}: {shown}");
        }
        assert!(value(&text, &format!("rpc_durations_seconds_count{{service=\"{service}\"}}")) > 0.0);
    }
    let bounds = bounds(&text);
    assert!(bounds.len() == 20 && bounds[0] > 0.0, "{bounds:?}");
    for metric in ["process_resident_memory_bytes ", "myevents_build_info{revision=\""] {
        assert!(text.contains(metric) || cfg!(not(target_os = "linux")), "{metric} is missing in {text}");
    }
    let Some(said) = check_metrics(&text) else {
        return not_run("promtool check metrics (install Prometheus: `apt install prometheus`)");
    };
    // The article fixes this name.
    assert_eq!(said, "rpc_durations_histogram_seconds metric name should not include type 'histogram'\n");
}

#[tokio::test]
async fn the_buckets_are_around_the_mean_where_that_is_far_from_zero() {
    let demo = Demo::start(&["--normal.mean=0.5", "--normal.domain=0.01"]);
    let bounds = bounds(&demo.text().await);
    assert!(bounds.len() == 20 && (bounds[0] - 0.45).abs() < 1e-9 && (bounds[19] - 0.545).abs() < 1e-9, "{bounds:?}");
}

/// A summary counts what is negative as zero, a histogram adds it up as it is. So both have one sum only if nothing is.
#[tokio::test]
async fn no_call_takes_less_than_no_time() {
    let demo = Demo::start(&["--normal.mean=0", "--normal.domain=1"]);
    let text = demo.text_after(20.0).await;
    let sum = value(&text, "rpc_durations_histogram_seconds_sum");
    assert_eq!(sum, value(&text, "rpc_durations_seconds_sum{service=\"normal\"}"));
}

#[tokio::test]
async fn open_metrics_has_exemplars_with_a_trace_id() {
    let demo = Demo::start(&[]);
    demo.text_after(3.0).await;
    let (form, body) = demo.scrape("application/openmetrics-text;version=1.0.0").await;
    assert_eq!(form, "application/openmetrics-text; version=1.0.0; charset=utf-8");
    let text = String::from_utf8(body).unwrap();
    assert!(text.ends_with("\n# EOF\n"), "{text}");
    let exemplar = text.split("# {trace_id=\"").nth(1).unwrap_or_else(|| panic!("no exemplar in {text}"));
    assert!(exemplar.split('"').next().unwrap().parse::<trace::TraceId>().is_ok(), "{exemplar}");
}

#[tokio::test]
async fn protobuf_has_a_message_for_each_metric() {
    let demo = Demo::start(&[]);
    demo.text_after(3.0).await;
    let (form, body) = demo.scrape(PROTOBUF).await;
    assert!(form.starts_with("application/vnd.google.protobuf"), "{form}");
    let (mut names, mut rest) = (Vec::new(), &body[..]);
    while !rest.is_empty() {
        let family = delimited(&mut rest);
        // The first field of each is its name.
        let mut fields = family.strip_prefix(&[0x0a]).unwrap();
        names.push(String::from_utf8(delimited(&mut fields).to_vec()).unwrap());
    }
    for name in ["rpc_durations_seconds", "rpc_durations_histogram_seconds", "myevents_build_info"] {
        assert!(names.iter().any(|there| there == name), "{name} is missing in {names:?}");
    }
    assert!(body.windows(8).any(|bytes| bytes == b"trace_id"), "no exemplar");
}

/// Takes a length and as many bytes.
fn delimited<'b>(bytes: &mut &'b [u8]) -> &'b [u8] {
    let end = bytes.iter().position(|byte| byte & 0x80 == 0).unwrap();
    let length = bytes[..=end].iter().rev().fold(0, |length, byte| length << 7 | usize::from(byte & 0x7f));
    let (taken, rest) = bytes[end + 1..].split_at(length);
    *bytes = rest;
    taken
}

#[cfg(unix)]
#[tokio::test]
async fn it_ends_well_when_it_is_told_to() {
    for signal in ["TERM", "INT"] {
        let mut demo = Demo::start(&[]);
        let kill = format!("kill -{signal} {}", demo.child.id());
        assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
        let ended = eventually_mut(SOON, "it ends", async || demo.child.try_wait().unwrap()).await;
        assert_eq!(ended.code(), Some(0), "{signal}");
        let last = demo.log.by_ref().lines().last().unwrap().unwrap();
        assert!(last.contains("\"stopped\""), "{last}");
    }
}
