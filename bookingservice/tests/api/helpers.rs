//! A running service on free ports.

use std::{path::Path, sync::Arc, time::Duration};

use contracts::{Contract, EventCreated, Instant};
use messaging::{Bus, Entry, in_process::InProcessBus};
use mongo::address::MongoUrl;
use service::{Listen, Settings};
use sqlite::Database;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

pub(crate) struct TestApp {
    pub(crate) url: String,
    pub(crate) ops: String,
    pub(crate) database: Option<Arc<Database>>,
    bus: Arc<InProcessBus>,
    stop: CancellationToken,
    running: JoinHandle<std::io::Result<()>>,
}

impl TestApp {
    pub(crate) async fn start(folder: &Path) -> Self {
        Self::start_with(folder, None).await
    }

    /// On a MongoDB server, where a URL is given.
    pub(crate) async fn start_with(folder: &Path, mongo: Option<MongoUrl>) -> Self {
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
            mongo,
            stories: Default::default(),
        };
        let (bus, stop) = (Arc::new(InProcessBus::new()), CancellationToken::new());
        let service = bookingservice::app::build(settings, bus.clone(), stop.clone()).await.unwrap();
        let (url, database) = (format!("http://{}", service.rest_address), service.database.clone());
        let ops = format!("http://{}", service.ops_address);
        let running = tokio::spawn(service.run_until(stop.clone()));
        Self { url, ops, database, bus, stop, running }
    }

    /// An event that can be booked for an hour.
    pub(crate) async fn event(&self, capacity: u64) -> Uuid {
        let now = Instant::now();
        let end_date = Instant::from_millis(now.as_millis() + 3_600_000).unwrap();
        let (id, name, capacity) = (Uuid::now_v7(), "Tango".to_owned(), Some(capacity));
        let event = EventCreated { id, name, location_id: None, start_date: now, end_date, capacity };
        let entry = Entry::new(EventCreated::NAME, true, event.to_json(), None);
        assert_eq!(self.bus.publish(&[entry]).await, [Ok(())]);
        id
    }

    pub(crate) async fn book(&self, event: Uuid, seats: u64) -> (u16, serde_json::Value) {
        let request = reqwest::Client::new().post(format!("{}/events/{event}/bookings", self.url));
        let response = request.json(&serde_json::json!({ "seats": seats })).send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    /// A page of the ops port.
    pub(crate) async fn ops(&self, path: &str) -> (u16, String) {
        let response = reqwest::get(format!("{}{path}", self.ops)).await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    pub(crate) async fn get(&self, path: &str) -> (u16, serde_json::Value) {
        let response = reqwest::get(format!("{}{path}", self.url)).await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }

    pub(crate) async fn stop(self) {
        self.stop.cancel();
        let closed = self.database.as_ref().map(|database| database.closed());
        let end = Duration::from_secs(15);
        tokio::time::timeout(end, self.running).await.unwrap().unwrap().unwrap();
        drop((self.database, self.bus)); // the bus holds the listener, and with it the store
        if let Some(closed) = closed {
            tokio::time::timeout(end, closed.cancelled()).await.unwrap(); // the workers let go of it a moment later
        }
    }
}
