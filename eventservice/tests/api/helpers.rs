//! A running service on free ports.

use std::{path::Path, sync::Arc, time::Duration};

use messaging::in_process::InProcessBus;
use mongo::address::MongoUrl;
use serde_json::{Value, json};
use service::{Listen, Settings};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) struct TestApp {
    pub(crate) bus: Arc<InProcessBus>,
    url: String,
    ops: String,
    stop: CancellationToken,
    running: JoinHandle<std::io::Result<()>>,
}

/// What was answered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<String>,
    pub(crate) body: Value,
}

impl TestApp {
    pub(crate) async fn start(folder: &Path, mongo: MongoUrl) -> Self {
        let any = |option| Listen { address: "127.0.0.1:0".parse().unwrap(), option };
        let settings = Settings {
            rest: any("LISTEN_ADDR"),
            ops: any("OPS_ADDR"),
            rest_workers: 2,
            servers: 1,
            shutdown_delay: Duration::ZERO,
            keep_alive_timeout: Duration::from_secs(75),
            metrics: Default::default(),
            data_dir: folder.into(),
            mongo: Some(mongo),
            stories: Default::default(),
        };
        let (bus, stop) = (Arc::new(InProcessBus::new()), CancellationToken::new());
        let service = eventservice::app::build(settings, bus.clone(), stop.clone()).await.unwrap();
        let (url, ops) = (format!("http://{}", service.rest_address), format!("http://{}", service.ops_address));
        let running = tokio::spawn(service.run_until(stop.clone()));
        Self { bus, url, ops, stop, running }
    }

    /// `POST /events`.
    pub(crate) async fn create(&self, location: Option<Uuid>) -> Answer {
        let event = json!({"name": "Tango", "start_date": "2030-01-01T18:00:00Z", "end_date": "2030-01-01T22:00:00Z",
            "capacity": 100, "location_id": location});
        answer(reqwest::Client::new().post(format!("{}/events", self.url)).json(&event)).await
    }

    /// `POST /locations`.
    pub(crate) async fn create_location(&self) -> Uuid {
        let location = json!({"name": "Hall", "address": "1 Main Street", "country": "Argentina", "halls": []});
        let answer = answer(reqwest::Client::new().post(format!("{}/locations", self.url)).json(&location)).await;
        answer.body["id"].as_str().unwrap().parse().unwrap()
    }

    pub(crate) async fn get(&self, path: &str) -> Answer {
        answer(reqwest::Client::new().get(format!("{}{path}", self.url))).await
    }

    /// Whether it can answer its REST, as it says itself.
    pub(crate) async fn is_ready(&self) -> bool {
        reqwest::get(format!("{}/readyz", self.ops)).await.unwrap().status() == 200
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        tokio::time::timeout(Duration::from_secs(15), self.running).await.unwrap().unwrap().unwrap();
    }
}

async fn answer(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.unwrap();
    let retry_after = response.headers().get("retry-after").map(|value| value.to_str().unwrap().to_owned());
    Answer { status: response.status().as_u16(), retry_after, body: response.json().await.unwrap() }
}
