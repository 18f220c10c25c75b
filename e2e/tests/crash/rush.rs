//! Events with a single seat and two clients each, while the process is killed under them.
//!
//! The load beside them keeps its events between 20 % and 90 % sold and books them again after the kill. So it cannot show a
//! seat that was sold twice, nor a message that got lost: the next one of the same event repairs the view. Here each event
//! has one message only, nobody books between the kill and the look at the view, and in the end each seat is sold once.

use std::time::Duration;

use e2e::{Api, samples, server::Server};
use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::{runtime::Runtime, task::JoinSet, time::sleep};

const EVENTS: usize = 48;
const CLIENTS: usize = 16;

/// The events and their clients.
pub(crate) struct Rush {
    runtime: Runtime,
    events: Vec<String>,
    clients: JoinSet<Client>,
}

/// Books one event after the other, each under a key of its own.
struct Client {
    name: String,
    events: Vec<String>,
    booked: usize,
    /// The last request had no answer: it is sent again.
    unanswered: bool,
}

impl Rush {
    /// Creates the events, and lets the clients go.
    pub(crate) fn begin(server: &Server) -> Self {
        let runtime = Runtime::new().unwrap();
        let (api, bookings) = (server.events(), server.bookings());
        let events = runtime.block_on(async {
            let create = (0..EVENTS).map(|_| create(api.clone(), bookings.clone()));
            create.collect::<JoinSet<_>>().join_all().await
        });
        let each = EVENTS / CLIENTS;
        let client = |number| Client {
            name: samples::unique("client"),
            events: events.iter().cycle().skip(number * each).take(2 * each).cloned().collect(),
            booked: 0,
            unanswered: false,
        };
        let clients = (0..CLIENTS).map(client).collect();
        let mut rush = Self { runtime, events, clients: JoinSet::new() };
        rush.go(server, clients);
        rush
    }

    fn go(&mut self, server: &Server, clients: Vec<Client>) {
        for client in clients {
            self.clients.spawn_on(client.book(server.bookings()), self.runtime.handle());
        }
    }

    /// After the kill and the restart: the view must catch up with what is booked although nobody books; then the clients
    /// go on to the last seat. Says how many requests the kill left without an answer.
    pub(crate) fn finish(mut self, server: &Server) -> usize {
        let clients = self.runtime.block_on(std::mem::take(&mut self.clients).join_all());
        let unanswered = clients.iter().filter(|client| client.unanswered).count();
        let (api, bookings) = (server.events(), server.bookings());
        let views = self.events.drain(..).map(|event| view_catches_up(api.clone(), bookings.clone(), event));
        self.runtime.block_on(async { views.collect::<JoinSet<_>>().join_all().await });

        self.go(server, clients);
        let clients = self.runtime.block_on(std::mem::take(&mut self.clients).join_all());
        assert!(clients.iter().all(|client| !client.unanswered), "a client had no answer although nobody killed");
        assert_eq!(clients.iter().map(|client| client.booked).sum::<usize>(), EVENTS, "each seat is sold once");
        unanswered
    }
}

async fn create(events: Api, bookings: Api) -> String {
    let body = samples::event(&samples::unique("rush"), 1);
    let event = events.post("/events", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned();
    while bookings.get(&format!("/events/{event}")).await.status == 404 {
        sleep(Duration::from_millis(2)).await;
    }
    event
}

impl Client {
    /// Until all its events are sold, or there is no answer.
    async fn book(mut self, bookings: Api) -> Self {
        while let Some(event) = self.events.last() {
            let request = bookings.request(Method::POST, &format!("/events/{event}/bookings"));
            let request = request.header("Idempotency-Key", event).json(&json!({"seats": 1, "user_id": self.name}));
            let status = request.send().await.map(|answer| answer.status());
            // A 503 comes from a process that stops: the outcome is not known either.
            self.unanswered = !matches!(status, Ok(StatusCode::CREATED | StatusCode::OK | StatusCode::CONFLICT));
            if self.unanswered {
                break;
            }
            self.booked += usize::from(status.is_ok_and(|status| status.is_success()));
            self.events.pop();
        }
        self
    }
}

async fn view_catches_up(events: Api, bookings: Api, event: String) {
    let path = format!("/events/{event}");
    let sold = bookings.get(&path).await.json()["booked_seats"].clone();
    for _ in 0..1000 {
        if events.get(&path).await.json()["booked_seats"] == sold {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("a message is lost: {sold} seats are sold, and the event service does not show them");
}
