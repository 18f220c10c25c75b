//! Reads a stream of server-sent events, as a browser's `EventSource` does.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

use crate::system::{DEADLINE, System};

/// One event.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) name: String,
    pub(crate) id: Option<u64>,
    pub(crate) data: Value,
}

/// An open stream.
pub(crate) struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    pub(crate) async fn open(system: &System, query: &str) -> Self {
        Self::of(system.get(&format!("/api/stream{query}")).await.unwrap())
    }

    pub(crate) fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Told> {
        loop {
            while let Some((block, rest)) = self.text.split_once("\n\n") {
                let told = told(block);
                self.text = rest.to_owned();
                if told.is_some() {
                    return told;
                }
            }
            let piece = timeout(DEADLINE, self.response.chunk()).await.expect("a heartbeat comes more often");
            self.text += std::str::from_utf8(&piece.ok()??).unwrap();
        }
    }

    /// The data of the next event with this name.
    pub(crate) async fn until(&mut self, name: &str) -> Value {
        loop {
            let told = self.next().await.expect("the stream goes on");
            if told.name == name {
                return told.data;
            }
        }
    }

    /// The next one within so long that fits.
    pub(crate) async fn within(&mut self, limit: Duration, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = timeout(limit, async {
            loop {
                let data = self.until(name).await;
                if fits(&data) {
                    return data;
                }
            }
        });
        found.await.unwrap_or_else(|_| panic!("no such {name} within {limit:?}"))
    }
}

/// `None` for a comment, or where only the time of the next try is told.
fn told(block: &str) -> Option<Told> {
    let field = |name: &str| block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": "));
    let name = field("event")?.to_owned();
    let id = field("id").map(|id| id.parse().unwrap());
    Some(Told { name, id, data: serde_json::from_str(field("data")?).unwrap() })
}
