//! Events with a single seat and two clients each, while something is killed under them.
//!
//! A load that goes on cannot show a seat that was sold twice, nor a message that got lost: it keeps its events between
//! 20 % and 90 % sold and books them again after the kill, and the next message of the same event repairs the view. Here each
//! event has one message only, and in the end each seat is sold once.

use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;

use crate::{Api, SOON, eventually, samples};

/// Events of each client; it shares them with its neighbours.
const EACH: usize = 3;

/// What a 503 asks for is a second; for a test that is long.
const AGAIN: Duration = Duration::from_millis(100);

/// The events and their clients.
pub struct FlashSale {
    events: Vec<String>,
    running: JoinSet<Client>,
    waiting: Vec<Client>,
}

/// Books one event after the other, each under a key of its own.
struct Client {
    number: usize,
    name: String,
    events: Vec<String>,
    booked: usize,
    /// The last request had no answer: it is sent again.
    unanswered: bool,
}

impl FlashSale {
    /// Creates the events, and lets so many clients go, to one replica of the booking service after the other. Needs a
    /// runtime with a thread to spare.
    pub async fn begin(clients: usize, events: &Api, bookings: &[Api]) -> Self {
        let create = (0..clients * EACH).map(|_| create(events.clone(), bookings[0].clone()));
        let events = create.collect::<JoinSet<_>>().join_all().await;
        let client = |number| Client {
            number,
            name: samples::unique("client"),
            events: events.iter().cycle().skip(number * EACH).take(2 * EACH).cloned().collect(),
            booked: 0,
            unanswered: false,
        };
        let waiting = (0..clients).map(client).collect();
        let mut sale = Self { events, running: JoinSet::new(), waiting };
        sale.go(bookings);
        sale
    }

    fn go(&mut self, bookings: &[Api]) {
        for client in self.waiting.drain(..) {
            let bookings = bookings[client.number % bookings.len()].clone();
            self.running.spawn(client.book(bookings));
        }
    }

    /// After the kill: waits until each client is done or had no answer, and says how many had none.
    pub async fn broken_off(&mut self) -> usize {
        self.waiting = std::mem::take(&mut self.running).join_all().await;
        self.waiting.iter().filter(|client| client.unanswered).count()
    }

    /// The event service shows what is booked, although nobody books.
    pub async fn is_shown(&self, events: &Api, bookings: &Api) {
        let catches_up =
            self.events.iter().map(|event| view_catches_up(events.clone(), bookings.clone(), event.clone()));
        catches_up.collect::<JoinSet<_>>().join_all().await;
    }

    /// The clients go on to the last seat. Gives the events, each of which is sold now.
    pub async fn finish(mut self, bookings: &[Api]) -> Vec<String> {
        self.go(bookings);
        let clients = self.running.join_all().await;
        assert!(clients.iter().all(|client| !client.unanswered), "a client had no answer although nobody killed");
        let sold = clients.iter().map(|client| client.booked).sum::<usize>();
        assert_eq!(sold, self.events.len(), "each seat is sold once");
        self.events
    }
}

async fn create(events: Api, bookings: Api) -> String {
    let event = events.post("/events", &samples::event(&samples::unique("sale"), 1)).await.expect(201).id();
    let path = format!("/events/{event}");
    let known = async || (bookings.get(&path).await.status == 200).then_some(());
    eventually(SOON, "the booking service knows the event", known).await;
    event
}

impl Client {
    /// Until all its events are sold, or there is no answer.
    async fn book(mut self, bookings: Api) -> Self {
        while let Some(event) = self.events.last() {
            let request = bookings.request(Method::POST, &format!("/events/{event}/bookings"));
            let request = request.header("Idempotency-Key", event).json(&json!({"seats": 1, "user_id": self.name}));
            let status = request.send().await.map(|answer| answer.status());
            self.unanswered = status.is_err();
            match status {
                Err(_) => break,
                Ok(StatusCode::CREATED | StatusCode::OK) => self.booked += 1,
                Ok(StatusCode::CONFLICT) => {}
                Ok(StatusCode::SERVICE_UNAVAILABLE) => {
                    tokio::time::sleep(AGAIN).await; // a busy database; the outcome is not known: the same again
                    continue;
                }
                Ok(other) => panic!("neither sold nor sold out: {other}"),
            }
            self.events.pop();
        }
        self
    }
}

async fn view_catches_up(events: Api, bookings: Api, event: String) {
    let path = format!("/events/{event}");
    let sold = bookings.get(&path).await.json()["booked_seats"].clone();
    let what = format!("the event service shows the {sold} seats that are sold; else a message is lost");
    eventually(SOON, &what, async || (events.get(&path).await.json()["booked_seats"] == sold).then_some(())).await;
}
