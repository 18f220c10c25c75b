//! `load --push` at a real Pushgateway.

use std::{
    net::TcpListener,
    process::{Child, Command, Stdio},
};

use crate::helpers::{DEADLINE, Job, MyEvents, client, eventually, new_folder, not_run};

/// A Pushgateway on a free port; killed when dropped.
struct Pushgateway {
    process: Child,
    url: String,
}

impl Pushgateway {
    /// `None`, and a word about it, where there is none to run.
    async fn start() -> Option<Self> {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let start = |program: &str| {
            let mut command = Command::new(program);
            command.arg(format!("--web.listen-address={address}"));
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
        };
        let Some(process) = start("pushgateway").or_else(|| start("prometheus-pushgateway")) else {
            not_run("load --push (install the Pushgateway: `apt install prometheus-pushgateway`)");
            return None;
        };
        let run = Self { process, url: format!("http://{address}") };
        eventually(DEADLINE, "the Pushgateway", async || run.metrics().await).await;
        Some(run)
    }

    async fn metrics(&self) -> Option<String> {
        client().get(format!("{}/metrics", self.url)).send().await.ok()?.text().await.ok()
    }

    /// The value of a metric of this load.
    async fn value(&self, name: &str, instance: &str) -> Option<f64> {
        let name = format!("myevents_load_{name}{{instance=\"{instance}\",job=\"myevents_load\"}} ");
        self.metrics().await?.lines().find_map(|line| line.strip_prefix(&name)?.parse().ok())
    }
}

impl Drop for Pushgateway {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

#[tokio::test]
async fn a_load_replaces_the_result_of_the_last_one_and_can_take_it_away() {
    let Some(gateway) = Pushgateway::start().await else { return };
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let (events, bookings) = (run.events(), run.bookings());
    let load = |more: &[&str]| {
        let urls = ["load", "--events-url", &events, "--bookings-url", &bookings, "--push", &gateway.url];
        let few = ["--events", "2", "--connections", "2", "--duration", "1", "--names", "Night load"];
        Job::run(urls.iter().chain(&few).chain(more))
    };

    load(&[]).well();
    let first = gateway.value("requests", "Night load").await.unwrap();
    assert!(first > 10.0 && gateway.value("booked_seats", "Night load").await.unwrap() > 0.5);
    for (name, right) in [("exit_code", 0.0), ("unexpected_answers", 0.0), ("unanswered_requests", 0.0)] {
        assert_eq!(gateway.value(name, "Night load").await, Some(right), "{name}");
    }
    let seconds = gateway.value("duration_seconds", "Night load").await.unwrap();
    assert!((0.9..3.0).contains(&seconds), "{seconds}");

    // It failed, and nothing of the good one before is left.
    run.stop().await;
    let failed = load(&[]);
    assert_eq!(failed.code, Some(1), "{}", failed.err);
    assert_eq!(gateway.value("exit_code", "Night load").await, Some(1.0));
    assert_eq!(gateway.value("requests", "Night load").await, None);

    load(&["--push-delete"]).well();
    assert_eq!(gateway.value("exit_code", "Night load").await, None);
}

#[tokio::test]
async fn a_push_that_fails_is_reported_and_the_exit_code_says_so() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let (events, bookings) = (run.events(), run.bookings());
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let urls = ["load", "--events-url", &events, "--bookings-url", &bookings, "--events", "2", "--duration", "1"];
    let push = ["--push".to_owned(), format!("http://{nobody}")];
    let job = Job::run(urls.iter().map(ToString::to_string).chain(push.clone()));
    assert_eq!(job.code, Some(1), "{}", job.err);
    assert!(
        job.err.contains("not pushed: the Pushgateway cannot be reached") && job.out.contains("requests"),
        "{}",
        job.err
    );
    let job = Job::run(["load".to_owned(), "--push-delete".to_owned()].into_iter().chain(push));
    assert_eq!(job.code, Some(1));
    assert!(job.err.contains("the Pushgateway cannot be reached"), "{}", job.err);
}

#[test]
fn a_pushgateway_that_is_none_is_refused_before_anything_is_loaded() {
    for (arguments, told) in [
        (&["--push", "localhost:9091"][..], "--push is \"localhost:9091\": it must be an address"),
        (&["--push-delete"], "--push-delete needs --push"),
    ] {
        let job = Job::run([&["load"], arguments].concat());
        assert_eq!(job.code, Some(1));
        assert!(job.err.contains(told), "{}", job.err);
    }
}
