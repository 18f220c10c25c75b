//! `myevents --no-page` with both services, and `myevents page` beside it, on free ports.

use std::{
    process::{Child, Command, Stdio},
    time::Duration,
};

use reqwest::{Client, Response};
use serde_json::{Value, json};
use tempfile::TempDir;
use testing::{binary, eventually, ports::free_port, told::Stream};

/// Long enough for a debug build on a busy machine.
pub(crate) const DEADLINE: Duration = Duration::from_secs(30);

/// Where each of the four ports is told to the services and to the page.
const PORTS: [(&str, &str); 4] = [
    ("--events-addr", "--events-url"),
    ("--bookings-addr", "--bookings-url"),
    ("--events-ops-addr", "--events-ops-url"),
    ("--bookings-ops-addr", "--bookings-ops-url"),
];

/// A process that is killed when this is dropped.
pub(crate) struct Running(pub(crate) Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both services in one process, and the page in another.
pub(crate) struct System {
    pub(crate) page: Running,
    services: Option<Running>,
    pub(crate) url: String,
    ports: [u16; 4],
    data: TempDir,
    client: Client,
}

fn run(arguments: impl IntoIterator<Item = String>) -> Running {
    let mut command = Command::new(binary::myevents());
    command.args(arguments).env_clear().stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    Running(command.spawn().unwrap())
}

impl System {
    /// Starts it, and waits until it answers.
    pub(crate) async fn start() -> Self {
        let (ports, page) = ([(); 4].map(|()| free_port()), free_port());
        let urls = PORTS.iter().zip(ports);
        let urls = urls.flat_map(|((_, option), port)| [(*option).to_owned(), format!("http://127.0.0.1:{port}")]);
        let own = ["page", "--page-addr", &format!("127.0.0.1:{page}")].map(str::to_owned);
        let client = Client::builder().no_proxy().build().unwrap();
        let mut system = Self {
            page: run(own.into_iter().chain(urls)),
            services: None,
            url: format!("http://127.0.0.1:{page}"),
            ports,
            data: tempfile::tempdir().unwrap(),
            client,
        };
        system.start_services().await;
        system
    }

    /// Starts the services, where they were before.
    pub(crate) async fn start_services(&mut self) {
        let addresses = PORTS.iter().zip(self.ports);
        let addresses = addresses.flat_map(|((option, _), port)| [(*option).to_owned(), format!("127.0.0.1:{port}")]);
        let folder = self.data.path().join("data").to_str().unwrap().to_owned();
        let own = ["--no-page", "--empty", "--data-dir", &folder].map(str::to_owned);
        self.services = Some(run(own.into_iter().chain(addresses)));
        eventually(DEADLINE, "both services answer through the page", || async {
            let ready = self.get("/api/events").await.filter(|answer| answer.status() == 200);
            ready.is_some() && self.get("/api/bookings/none").await.is_some_and(|answer| answer.status() != 503)
        })
        .await;
    }

    /// `kill -9`.
    pub(crate) fn kill_services(&mut self) {
        self.services = None;
    }

    pub(crate) async fn get(&self, path: &str) -> Option<Response> {
        self.client.get(format!("{}{path}", self.url)).send().await.ok()
    }

    /// An open stream, with this query.
    pub(crate) async fn stream(&self, query: &str) -> Stream {
        Stream::open(&format!("{}/api/stream{query}", self.url)).await
    }

    /// To be sent with further headers.
    pub(crate) fn request(&self, path: &str) -> reqwest::RequestBuilder {
        self.client.get(format!("{}{path}", self.url))
    }

    async fn post(&self, path: &str, body: &Value) -> Response {
        let request = self.client.post(format!("{}{path}", self.url)).header("Origin", &self.url);
        request.json(body).send().await.unwrap()
    }

    /// Creates an event; gives its id.
    pub(crate) async fn create(&self, name: &str) -> String {
        let body = json!({
            "name": name, "start_date": "2100-01-01T18:00:00Z", "end_date": "2100-01-01T20:00:00Z", "capacity": 1000,
        });
        let answer = self.post("/api/events", &body).await;
        assert_eq!(answer.status(), 201);
        answer.json::<Value>().await.unwrap()["id"].as_str().unwrap().to_owned()
    }

    /// Books two seats, as soon as the event is on sale.
    pub(crate) async fn book(&self, event: &str) {
        let path = format!("/api/events/{event}/bookings");
        eventually(DEADLINE, "a booking", || async { self.post(&path, &json!({ "seats": 2 })).await.status() == 201 })
            .await;
    }
}
