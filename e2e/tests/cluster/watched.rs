//! What the Prometheus in the cluster sees: each pod once, under its right `job`, as soon as it is there.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::{Duration, Instant, SystemTime, UNIX_EPOCH},
};

use e2e::{
    dashboard::{Dashboard, list, moving, with_values},
    eventually,
    kubectl::{Forward, kubectl},
    prometheus::Prometheus,
    promql::selectors,
};
use serde_json::json;

use crate::cluster::{Cluster, pods, pods_of};

/// A scrape, what `$__rate_interval` looks back, and a little.
const SEEN: Duration = Duration::from_secs(90);

/// How soon a new pod is a target, and one that ended is none.
pub(crate) const FOLLOWS: Duration = Duration::from_secs(30);

/// The Prometheus of the cluster, and the way to it.
pub(crate) struct Watch {
    _forward: Forward,
    pub(crate) prometheus: Prometheus,
}

impl Watch {
    pub(crate) fn open() -> Self {
        let forward = Forward::to("svc/prometheus", 9090);
        Self { prometheus: Prometheus(forward.api.clone()), _forward: forward }
    }

    /// The address path, job and pod of each target that is up, and what is wrong with the others.
    async fn targets(&self) -> (Vec<(String, String)>, Vec<String>) {
        let answer = self.prometheus.0.get("/api/v1/targets?state=active").await.expect(200).json();
        let (mut up, mut wrong) = (Vec::new(), Vec::new());
        for target in list(&answer["data"]["activeTargets"]) {
            let label = |name: &str| target["labels"][name].as_str().unwrap_or_default().to_owned();
            if target["health"] == "up" {
                up.push((label("job"), label("kubernetes_pod_name")));
            } else {
                wrong.push(target.to_string());
            }
        }
        up.sort();
        (up, wrong)
    }
}

pub(crate) async fn a_booking_is_seen_everywhere(cluster: &Cluster) {
    let (events, bookings) = (Forward::to("svc/events", 8181), Forward::to("svc/bookings", 8181));
    let name = e2e::samples::unique("First night");
    // As a client does who is told to try again (`Retry-After`): its store may have been away a moment ago.
    let create = async || {
        Some(events.api.post("/events", &e2e::samples::event(&name, 10)).await).filter(|new| new.status != 503)
    };
    let event = eventually(Duration::from_secs(20), "events can be created", create).await.expect(201).id();
    let path = format!("/events/{event}/bookings");
    let booked =
        async || Some(bookings.api.post(&path, &json!({"seats": 2})).await).filter(|answer| answer.status == 201);
    eventually(Duration::from_secs(20), "the new event can be booked", booked).await;
    let shown = async || {
        let event = events.api.get(&format!("/events/{event}")).await.json();
        (event["booked_seats"] == 2).then_some(())
    };
    eventually(Duration::from_secs(20), "the event service learns of the booking", shown).await;
    let counted = counted(&name).await;
    assert!((counted - 2.0).abs() < 0.1, "{counted} seats in the pods' /metrics");
    let watch = Watch::open();
    let query = format!("sum(myevents_bookings_count{{eventName=\"{name}\"}}) by (eventName)");
    let seen = async || watch.prometheus.query(&query).await.into_iter().find(|one| one.value > 1.5);
    eventually(Duration::from_secs(45), "Prometheus has the booking", seen).await;
    cluster.step("a booking is seen at both services, in /metrics, and in the Prometheus of the cluster");
}

/// What all running pods of the booking service together say of an event.
async fn counted(name: &str) -> f64 {
    let mut sum = 0.0;
    for pod in pods_of("bookingservice") {
        let ops = Forward::to(&format!("pod/{}", pod.name), 9100);
        sum += ops.api.metrics().await.sum("myevents_bookings_count", &[("eventName", name)]);
    }
    sum
}

/// As the annotations say, and the broker once more, for its queues.
fn right_targets() -> Vec<(String, String)> {
    let mut right = Vec::new();
    for pod in pods("") {
        let name = &pod.labels["app.kubernetes.io/name"];
        if pod.annotations.get("prometheus.io/scrape").is_some_and(|scrape| scrape == "true") {
            right.push((name.clone(), pod.name.clone()));
        }
        if name == "rabbitmq" {
            right.push(("rabbitmq-detailed".to_owned(), pod.name.clone()));
        }
    }
    right.sort();
    right
}

pub(crate) async fn targets_are_right(watch: &Watch, timeout: Duration) {
    let began = Instant::now();
    loop {
        let ((up, wrong), right) = (watch.targets().await, right_targets());
        if up == right && wrong.is_empty() {
            return;
        }
        assert!(began.elapsed() < timeout, "targets: {up:?}\nright: {right:?}\nnot up: {wrong:?}");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

pub(crate) async fn each_pod_is_one_target(cluster: &Cluster) {
    let watch = Watch::open();
    targets_are_right(&watch, FOLLOWS).await;
    let jobs: BTreeSet<_> = watch.targets().await.0.into_iter().map(|(job, _)| job).collect();
    let right =
        ["alertmanager", "bookingservice", "bridge", "eventservice", "prometheus", "rabbitmq", "rabbitmq-detailed"];
    let grafana = pods_of("grafana").first().map(|_| "grafana"); // nobody packages it
    assert_eq!(jobs, right.into_iter().chain(grafana).map(str::to_owned).collect());
    let labels = watch.prometheus.query("up{job=\"bookingservice\"}").await.remove(0).labels;
    assert_eq!((labels["myevents_app"].as_str(), labels["myevents_tier"].as_str()), ("bookings", "api"), "{labels:?}");
    let hashed: Vec<_> = labels.keys().filter(|name| name.contains("hash")).collect();
    assert!(hashed.is_empty(), "each release would begin every series anew: {hashed:?}");
    cluster.step("each pod is one target, under its own job");
}

/// What the flags of Prometheus are for: start timestamps, exemplars whose trace a pod can tell about, and native histograms.
pub(crate) async fn every_form_of_a_metric_arrives(cluster: &Cluster) {
    let watch = Watch::open();
    let flags = watch.prometheus.0.get("/api/v1/status/flags").await.expect(200).json();
    let features = flags["data"]["enable-feature"].as_str().unwrap_or_default().to_owned();
    for feature in ["created-timestamp-zero-ingestion", "exemplar-storage"] {
        assert!(features.contains(feature), "{features}");
    }
    let native = async || {
        let native = "sum(histogram_count(myevents_request_duration_seconds{job=\"bookingservice\"}))";
        watch.prometheus.query(native).await.into_iter().find(|one| one.value > 0.5)
    };
    eventually(SEEN, "native histograms arrive", native).await;

    let minutes = |ago: u64| SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() - ago * 60;
    let selector = "myevents_request_duration_seconds_bucket%7Bjob=%22bookingservice%22%7D";
    let told = async || {
        let path = format!("/api/v1/query_exemplars?query={selector}&start={}&end={}", minutes(5), minutes(0));
        let found = watch.prometheus.0.get(&path).await.expect(200).json();
        let newest = list(&found["data"]).flat_map(|series| list(&series["exemplars"]));
        let newest =
            newest.max_by(|a, b| a["timestamp"].as_f64().unwrap().total_cmp(&b["timestamp"].as_f64().unwrap()))?;
        let trace = newest["labels"]["trace_id"].as_str()?.to_owned();
        for pod in pods_of("bookingservice") {
            let ops = Forward::to(&format!("pod/{}", pod.name), 9100);
            if ops.api.get(&format!("/traces/{trace}")).await.status == 200 {
                return Some(());
            }
        }
        None
    };
    eventually(SEEN, "the trace of an exemplar is told by a pod", told).await;
    cluster.step("start timestamps, native histograms and exemplars arrive, and a pod tells the story of one");
}

pub(crate) async fn every_selector_has_a_series(cluster: &Cluster) {
    let (watch, began) = (Watch::open(), Instant::now());
    loop {
        let mut missing = Vec::new();
        for query in moving().iter().flat_map(Dashboard::queries) {
            for selector in selectors(&with_values(&query.expression)) {
                // There is none while all is well.
                if selector.metric != "ALERTS" && watch.prometheus.query(&selector.text()).await.is_empty() {
                    missing.push(format!("{}: {}", query.place, selector.text()));
                }
            }
        }
        if missing.is_empty() {
            break;
        }
        assert!(began.elapsed() < SEEN, "no series in the cluster:\n{}", missing.join("\n"));
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    cluster.step("every selector of the dashboards that move has a series");
}

pub(crate) async fn targets_follow_the_pods(cluster: &Cluster) {
    // At rest, so that what the pods say is what Prometheus has read.
    kubectl(&["scale", "deployment", "load", "--replicas", "0"]);
    let watch = Watch::open();
    for replicas in ["3", "2"] {
        kubectl(&["scale", "deployment", "bookingservice", "--replicas", replicas]);
        let as_many = async || {
            let pods = pods_of("bookingservice");
            (pods.len().to_string() == replicas && pods.iter().all(|pod| pod.ready)).then_some(())
        };
        eventually(Duration::from_secs(60), "the pods are there", as_many).await;
        targets_are_right(&watch, FOLLOWS).await;
        cluster.step(&format!("scaled to {replicas}: the targets follow"));
        the_sum_is_what_the_pods_say(&watch).await;
    }
    let ops = Forward::to(&format!("pod/{}", pods_of("bookingservice")[0].name), 9100);
    let down = watch.prometheus.went_down(&ops.api.metrics().await, "bookingservice", "2m").await;
    assert!(down.is_empty(), "{down:?}");
    kubectl(&["scale", "deployment", "load", "--replicas", "1"]);
    cluster.step("no series went down, and the chapter's sum is what the pods say");
}

/// `sum(myevents_bookings_count) by (eventName)`, the chapter's query.
async fn the_sum_is_what_the_pods_say(watch: &Watch) {
    let mut right: BTreeMap<String, f64> = BTreeMap::new();
    for pod in pods_of("bookingservice") {
        let ops = Forward::to(&format!("pod/{}", pod.name), 9100);
        for sample in ops.api.metrics().await.samples("myevents_bookings_count", &[]) {
            *right.entry(sample.labels["eventName"].clone()).or_default() += sample.value;
        }
    }
    let began = Instant::now();
    loop {
        let shown = watch.prometheus.query("sum(myevents_bookings_count) by (eventName)").await;
        let shown: BTreeMap<_, _> = shown.into_iter().map(|one| (one.labels["eventName"].clone(), one.value)).collect();
        if shown == right {
            return;
        }
        assert!(began.elapsed() < FOLLOWS, "Prometheus: {shown:?}\nthe pods: {right:?}");
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) async fn what_was_collected_survives_its_pod(cluster: &Cluster) {
    let before = Watch::open().prometheus.query("count_over_time(up{job=\"prometheus\"}[1h])").await;
    assert!(!before.is_empty());
    kubectl(&["delete", "pod", "prometheus-0"]);
    let back = async || {
        let pods = pods_of("prometheus");
        (!pods.is_empty() && pods.iter().all(|pod| pod.ready)).then_some(()) // for a moment there is none
    };
    eventually(Duration::from_secs(60), "Prometheus is back", back).await;
    let watch = Watch::open();
    let after = async || {
        let found = watch.prometheus.query("count_over_time(up{job=\"prometheus\"}[1h])").await;
        let samples = found.iter().map(|one| one.value).fold(0.0, f64::max);
        (samples >= before[0].value).then_some(())
    };
    eventually(Duration::from_secs(30), "what it had before is there", after).await;
    cluster.step("Prometheus' pod was deleted, and came back with its data");
}
