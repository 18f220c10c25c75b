//! Clients after the seats of one event, while the process is killed under them.
//!
//! The load beside them keeps its events between 20 % and 90 % sold and books them again after the kill. So it cannot show
//! seats that were sold twice at the end, nor a message that got lost: the next one of the same event repairs the view. Here
//! nobody books between the kill and the look at the view, and in the end exactly all seats must be sold.

use std::time::Duration;

use e2e::{Api, samples, server::Server};
use reqwest::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::{runtime::Runtime, task::JoinSet, time::sleep};

const SEATS: usize = 100;
const CLIENTS: usize = 16;

/// One event and its clients.
pub(crate) struct Rush {
    runtime: Runtime,
    event: String,
    clients: JoinSet<Client>,
}

/// Books one seat after the other, each under a key.
struct Client {
    name: String,
    booked: usize,
    /// The last request had no answer: its key is used again.
    unanswered: bool,
    sold_out: bool,
}

impl Rush {
    /// Creates the event, and lets the clients go.
    pub(crate) fn begin(server: &Server) -> Self {
        let runtime = Runtime::new().unwrap();
        let (events, bookings) = (server.events(), server.bookings());
        let event = runtime.block_on(async {
            let body = samples::event(&samples::unique("rush"), SEATS as u64);
            let event = events.post("/events", &body).await.expect(201).json()["id"].as_str().unwrap().to_owned();
            while bookings.get(&format!("/events/{event}")).await.status == 404 {
                sleep(Duration::from_millis(2)).await;
            }
            event
        });
        // A key belongs to a user for ever, so each event has users of its own.
        let new = |number| {
            let name = format!("{event} {number}");
            Client { name, booked: 0, unanswered: false, sold_out: false }
        };
        let clients = (0..CLIENTS).map(new).collect();
        let mut rush = Self { runtime, event, clients: JoinSet::new() };
        rush.go(server, clients);
        rush
    }

    fn go(&mut self, server: &Server, clients: Vec<Client>) {
        let path = format!("/events/{}/bookings", self.event);
        for client in clients {
            self.clients.spawn_on(client.book(server.bookings(), path.clone()), self.runtime.handle());
        }
    }

    /// After the kill and the restart: the view must catch up with what is booked although nobody books; then the clients
    /// go on to the last seat. Says how many requests the kill left without an answer.
    pub(crate) fn finish(mut self, server: &Server) -> usize {
        let clients = self.runtime.block_on(std::mem::take(&mut self.clients).join_all());
        let unanswered = clients.iter().filter(|client| client.unanswered).count();
        self.runtime.block_on(view_catches_up(server, &self.event));

        self.go(server, clients);
        let clients = self.runtime.block_on(std::mem::take(&mut self.clients).join_all());
        assert!(clients.iter().all(|client| client.sold_out), "a client had no answer although nobody killed");
        assert_eq!(clients.iter().map(|client| client.booked).sum::<usize>(), SEATS, "seats that were sold");
        unanswered
    }
}

impl Client {
    /// Until the event is sold out, or there is no answer.
    async fn book(mut self, bookings: Api, path: String) -> Self {
        // Whoever sells more than there are shall be found out, not be asked for ever.
        while self.booked <= SEATS {
            let request = bookings.request(Method::POST, &path).header("Idempotency-Key", self.booked.to_string());
            let Ok(answer) = request.json(&json!({"seats": 1, "user_id": self.name})).send().await else {
                self.unanswered = true;
                return self;
            };
            self.unanswered = false;
            match answer.status() {
                StatusCode::CREATED | StatusCode::OK => self.booked += 1,
                StatusCode::CONFLICT => {
                    self.sold_out = true;
                    return self;
                }
                // It stops: this request was refused, or its outcome is not known.
                StatusCode::SERVICE_UNAVAILABLE => {
                    self.unanswered = true;
                    return self;
                }
                other => panic!("{other}: {}", answer.text().await.unwrap_or_default()),
            }
        }
        self
    }
}

async fn view_catches_up(server: &Server, event: &str) {
    let path = format!("/events/{event}");
    let (sold, mut shown) = (server.bookings().get(&path).await.json(), Value::Null);
    for _ in 0..1000 {
        shown = server.events().get(&path).await.json();
        if shown["booked_seats"] == sold["booked_seats"] {
            return;
        }
        sleep(Duration::from_millis(10)).await;
    }
    panic!("a message is lost: the booking service has {sold}, and the event service shows {shown}");
}
