//! The page says what a Prometheus says that looks at the same system as often.
//!
//! What is counted is compared to the last one when the system is at rest, and rates and times while it has a steady load.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use e2e::{binary, prometheus::Prometheus};
use serde_json::{Value, json};
use testing::told::Stream;

use crate::{server, system::System};

/// Both look so often.
const EVERY: &str = "2s";

/// The bounds of the times of requests, in seconds.
const BOUNDS: [f64; 14] = [0.0, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0];

const SEATS: &str = "message=~\"eventBooked|seatsChanged\"";

/// The totals and gauges of a sample, each with the query that says the same.
fn at_rest() -> Vec<(&'static str, String)> {
    let both = |metric: &str, of: &str| format!("{of}({metric}{{job=\"bookingservice\"}})");
    vec![
        ("/totals/bookings", "sum(myevents_bookings_accepted_total)".into()),
        ("/totals/booked_seats", "sum(myevents_booked_seats_total)".into()),
        ("/totals/cancelled", "sum(myevents_bookings_cancelled_total)".into()),
        ("/totals/rejected", "sum(myevents_booking_rejections_total)".into()),
        (
            "/totals/published",
            format!("sum(myevents_messages_published_total{{job=\"bookingservice\",result=\"confirmed\",{SEATS}}})"),
        ),
        (
            "/totals/applied",
            format!("sum(myevents_messages_consumed_total{{job=\"eventservice\",result=\"acked\",{SEATS}}})"),
        ),
        ("/way/outbox", both("myevents_outbox_pending_messages", "max")),
        ("/way/on_the_way", "max(myevents_seat_changes) - max(myevents_view_seat_changes)".into()),
        ("/way/dead", "sum(max by (job) (myevents_dead_letters))".into()),
        ("/services/bookings/requests", both("myevents_request_total", "sum")),
        ("/services/bookings/threads", both("process_threads", "sum")),
        ("/services/bookings/processes/0/since", both("process_start_time_seconds", "max")),
    ]
}

/// The rates of a sample, likewise, with their windows in seconds.
const RATES: [(&str, u32, &str); 6] = [
    ("/services/bookings/per_second", 10, "sum(rate(myevents_request_total{job=\"bookingservice\"}[10s]))"),
    (
        "/way/accepted",
        10,
        "sum(rate(myevents_request_total{method=\"POST\",route=\"/events/{id}/bookings\",status=\"201\"}[10s]))",
    ),
    ("/way/stored", 10, "sum(rate(myevents_bookings_accepted_total[10s]))"),
    (
        "/way/published",
        10,
        "sum(rate(myevents_messages_published_total{message=\"eventBooked\",result=\"confirmed\"}[10s]))",
    ),
    ("/way/applied", 10, "sum(rate(myevents_messages_consumed_total{message=\"eventBooked\",result=\"acked\"}[10s]))"),
    ("/bookings_per_minute", 60, "60 * sum(rate(myevents_bookings_accepted_total[60s]))"),
];

/// A running load; dropping it kills it.
struct Load(Child);

impl Load {
    fn start(system: &System, more: &[&str]) -> Self {
        let addresses = &system.server.addresses;
        let mut command = Command::new(binary::myevents());
        command.args(["load", "--events-url", &addresses.events, "--bookings-url", &addresses.bookings]);
        command.args(["--rate", "50"]).args(more).env_clear();
        command.stdin(Stdio::null()).stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }

    /// Whether it goes on. It must not have failed.
    fn goes_on(&mut self) -> bool {
        let ended = self.0.try_wait().unwrap();
        assert!(ended.is_none_or(|status| status.success()), "the load failed");
        ended.is_none()
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn number(sample: &Value, pointer: &str) -> f64 {
    sample.pointer(pointer).and_then(Value::as_f64).unwrap_or_else(|| panic!("{pointer} in {sample}"))
}

/// In seconds since 1970.
fn time(sample: &Value) -> f64 {
    number(sample, "/at") / 1000.0
}

async fn one(prometheus: &Prometheus, query: &str, time: f64) -> f64 {
    let found = prometheus.query_at(query, time).await;
    assert_eq!(found.len(), 1, "{query}");
    found[0].value
}

#[tokio::test]
async fn the_page_says_what_prometheus_says() {
    let Some(program) = server::program() else { return };
    let system = System::start(&[]);
    let job = |name: &str, url: &str| json!({"job_name": name, "static_configs": [{"targets": [url.trim_start_matches("http://")]}]});
    let jobs = [
        job("eventservice", &system.server.addresses.events_ops),
        job("bookingservice", &system.server.addresses.bookings_ops),
    ];
    let configuration = json!({"global": {"scrape_interval": EVERY, "scrape_timeout": "1s"}, "scrape_configs": jobs});
    let running = server::run(&program, &[&server::features()], &configuration).await;
    let mut stream = Stream::open(&format!("{}/api/stream", system.server.addresses.page)).await;

    let mut mixed = Load::start(&system, &["--duration", "5", "--capacity", "40", "--cancels", "30"]);
    while mixed.goes_on() {
        stream.until("sample").await;
    }
    same_at_rest(&running.prometheus, &mut stream).await;

    let bookings_only = ["--reads", "0", "--repeats", "0", "--cancels", "0", "--bad", "0", "--capacity", "0"];
    let mut steady = Load::start(&system, &[&["--duration", "68", "--names", "Steady"][..], &bookings_only].concat());
    let mut samples = Vec::new();
    while steady.goes_on() {
        samples.push(stream.until("sample").await);
    }
    same_under_load(&running.prometheus, &samples).await;
    same_at_rest(&running.prometheus, &mut stream).await;
}

/// The third sample from now is compared: Prometheus has looked as well since all was done.
async fn same_at_rest(prometheus: &Prometheus, stream: &mut Stream) {
    for _ in 0..3 {
        stream.until("sample").await;
    }
    let sample = stream.until("sample").await;
    for (pointer, query) in at_rest() {
        let (page, right) = (number(&sample, pointer), one(prometheus, &query, time(&sample)).await);
        assert!(page == right, "{pointer} is {page}, and {query} is {right}");
    }
    assert!(number(&sample, "/totals/cancelled") > 0.0 && number(&sample, "/totals/rejected") > 0.0, "{sample}");
    // The event service is asked by the page itself.
    let requests = "sum(myevents_request_total{job=\"eventservice\"})";
    let page = number(&sample, "/services/events/requests");
    let before = one(prometheus, requests, time(&sample)).await;
    tokio::time::sleep(Duration::from_secs(3)).await;
    let behind = one(prometheus, requests, time(&sample) + 2.5).await;
    assert!((before..=behind).contains(&page), "{page} is not between {before} and {behind}");
}

/// What Prometheus says at the time of a sample, and at its own looks before and after it, between which the page has looked: the least
/// and the most. Some answers come in bursts, and one of the two then sees one more.
async fn around(prometheus: &Prometheus, query: &str, time: f64) -> (f64, f64) {
    let (mut least, mut most) = (f64::INFINITY, 0.0_f64);
    for time in [time - 2.0, time, time + 2.0] {
        let value = one(prometheus, query, time).await;
        (least, most) = (least.min(value), most.max(value));
    }
    (least, most)
}

/// Every sample whose windows lie within the load.
async fn same_under_load(prometheus: &Prometheus, samples: &[Value]) {
    let (begin, end) = (time(&samples[0]) + 5.0, time(samples.last().unwrap()) - 4.0);
    let (mut compared, mut wrong) = (0, Vec::new());
    let times = ["p50", "p95", "p99"].map(|name| {
        let buckets = "sum by (le) (rate(myevents_request_duration_seconds_bucket{job=\"bookingservice\"}[30s]))";
        let query = format!("histogram_quantile(0.{}, {buckets})", &name[1..]);
        (format!("/services/bookings/{name}"), 30, query)
    });
    let rates = RATES.map(|(pointer, window, query)| (pointer.to_owned(), window, query.to_owned()));
    for sample in samples.iter().filter(|sample| time(sample) < end) {
        let lies_within = |window: u32| time(sample) - f64::from(window) > begin;
        for (pointer, _, query) in rates.iter().chain(&times).filter(|(_, window, _)| lies_within(*window)) {
            let (page, (least, most)) = (number(sample, pointer), around(prometheus, query, time(sample)).await);
            // Within a bucket nobody knows where a time is.
            let bucket = BOUNDS.windows(2).find(|bound| most <= bound[1]).unwrap_or(&[0.0, 0.0]);
            let exact = if times.iter().any(|(of, ..)| of == pointer) { bucket[1] - bucket[0] } else { 0.0 };
            compared += 1;
            if page < least - exact.max(0.05 * least) || page > most + exact.max(0.05 * most) {
                wrong.push(format!("{pointer} is {page}, and {query} is {least} to {most}"));
            }
        }
    }
    assert!(compared > 150, "only {compared}");
    assert!(wrong.is_empty(), "{} of {compared}: {wrong:#?}", wrong.len());
}
