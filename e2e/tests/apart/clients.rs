//! Clients of the event service, whom `load` does not have: they create events and read, at one replica each, and know
//! which of their requests were lost.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use e2e::{Api, samples};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::task::JoinSet;

/// Readers of each replica: one of them has a request under way at nearly any moment.
const READERS: usize = 3;

/// Events are few; bookings are many.
const PAUSE: Duration = Duration::from_millis(150);

/// What they share.
#[derive(Default)]
struct Seen {
    stop: AtomicBool,
    lost: AtomicUsize,
    created: Mutex<Vec<String>>,
}

/// Running clients.
pub(crate) struct Clients {
    seen: Arc<Seen>,
    running: JoinSet<()>,
}

impl Clients {
    /// A few for each replica. Needs a runtime with a thread to spare.
    pub(crate) fn start(replicas: impl Iterator<Item = Api>) -> Self {
        let (seen, mut running) = (Arc::<Seen>::default(), JoinSet::new());
        for api in replicas {
            running.spawn(create(api.clone(), seen.clone()));
            for _ in 0..READERS {
                running.spawn(read(api.clone(), seen.clone()));
            }
        }
        Self { seen, running }
    }

    /// Requests that were sent and had no answer.
    pub(crate) fn lost(&self) -> usize {
        self.seen.lost.load(Ordering::Relaxed)
    }

    /// Ends them; gives the ids of the events whose creation was answered.
    pub(crate) async fn stop(self) -> Vec<String> {
        self.seen.stop.store(true, Ordering::Relaxed);
        self.running.join_all().await;
        std::mem::take(&mut *self.seen.created.lock().unwrap())
    }
}

async fn create(api: Api, seen: Arc<Seen>) {
    while !seen.stop.load(Ordering::Relaxed) {
        let body = samples::event(&samples::unique("created"), 10);
        if let Some((201, event)) = exchange(api.request(Method::POST, "/events").json(&body), &seen).await {
            seen.created.lock().unwrap().push(event["id"].as_str().unwrap().to_owned());
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn read(api: Api, seen: Arc<Seen>) {
    while !seen.stop.load(Ordering::Relaxed) {
        if exchange(api.request(Method::GET, "/events?limit=5"), &seen).await.is_none() {
            tokio::time::sleep(PAUSE).await; // it is away
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

/// The status and the body, if both came; else counts it, if it was sent.
async fn exchange(request: RequestBuilder, seen: &Seen) -> Option<(u16, Value)> {
    let answer = async {
        let response = request.send().await?;
        let status = response.status().as_u16();
        response.json().await.map(|body| (status, body))
    };
    match answer.await {
        Ok(answer) => Some(answer),
        Err(cause) => {
            seen.lost.fetch_add(usize::from(!cause.is_connect()), Ordering::Relaxed);
            None
        }
    }
}
