//! Both services in one process, and the configuration of a Prometheus that scrapes them every second.

use std::time::{SystemTime, UNIX_EPOCH};

use e2e::{
    Api, SOON,
    api::send,
    eventually, samples,
    server::{Plan, Server},
};
use reqwest::Method;
use serde_json::{Value, json};
use tempfile::TempDir;

pub(crate) struct System {
    pub(crate) server: Server,
    _folder: TempDir,
}

impl System {
    /// `under`: a program and its arguments, under which it runs.
    pub(crate) fn start(under: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let env = [("OPENMETRICS_CREATED", "on"), ("RUST_LOG", "debug"), ("DONT_FAKE_MONOTONIC", "1")];
        let plan = Plan {
            env: env.map(|(name, value)| (name, value.to_owned())).into(),
            under: under.iter().map(|part| (*part).to_owned()).collect(),
            ..Plan::default()
        };
        Self { server: Server::start(folder.path(), &plan).unwrap(), _folder: folder }
    }

    pub(crate) fn events_ops(&self) -> Api {
        Api::new(&self.server.addresses.events_ops)
    }

    pub(crate) fn bookings_ops(&self) -> Api {
        Api::new(&self.server.addresses.bookings_ops)
    }

    /// Creates an event and waits until it can be booked.
    pub(crate) async fn event(&self, name: &str) -> String {
        let event = self.server.events().post("/events", &samples::unlimited(name)).await.expect(201).id();
        let (bookings, path) = (self.server.bookings(), format!("/events/{event}"));
        eventually(SOON, "the booking service learns of the event", async || bookings.get(&path).await.status == 200)
            .await;
        event
    }

    /// Books seats. Gives the booking's id.
    pub(crate) async fn book(&self, event: &str, seats: u64) -> String {
        let path = format!("/events/{event}/bookings");
        self.server.bookings().post(&path, &json!({"seats": seats})).await.expect(201).id()
    }

    /// Requests with a status that no route documents, so that their series begins with them.
    pub(crate) async fn wrong_methods(&self, count: usize) {
        for _ in 0..count {
            send(self.server.bookings().request(Method::PATCH, "/bookings/1")).await.expect(405);
        }
    }

    /// A job that scrapes both, in one form of today's Prometheus; in that which it prefers where none is named.
    pub(crate) fn job(&self, name: &str, form: Option<&str>) -> Value {
        let addresses = [&self.server.addresses.events_ops, &self.server.addresses.bookings_ops];
        let targets = addresses.map(|url| url.trim_start_matches("http://"));
        let mut job = json!({"job_name": name, "static_configs": [{"targets": targets}]});
        if let Some(form) = form {
            job["scrape_protocols"] = json!([form]);
            job["scrape_native_histograms"] = json!(true);
            job["always_scrape_classic_histograms"] = json!(true);
        }
        job
    }
}

/// A configuration with these jobs.
pub(crate) fn configuration(jobs: &[Value]) -> Value {
    json!({"global": {"scrape_interval": "1s", "scrape_timeout": "1s"}, "scrape_configs": jobs})
}

/// In seconds since 1970.
pub(crate) fn now() -> f64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs_f64()
}
