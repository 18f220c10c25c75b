//! Reads a stream of server-sent events, as a browser's `EventSource` does.

use std::time::Duration;

use reqwest::Response;
use serde_json::Value;
use tokio::time::timeout;

/// A stream that tells nothing for so long has failed; it has a heartbeat.
const DEADLINE: Duration = Duration::from_secs(30);

/// One event.
#[derive(Debug)]
pub struct Told {
    pub name: String,
    pub id: Option<u64>,
    pub data: Value,
}

/// An open stream.
pub struct Stream {
    response: Response,
    text: String,
}

impl Stream {
    pub async fn open(url: &str) -> Self {
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        Self::of(client.get(url).send().await.unwrap())
    }

    pub fn of(response: Response) -> Self {
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        Self { response, text: String::new() }
    }

    /// The next event; `None` at the end of the stream.
    pub async fn next(&mut self) -> Option<Told> {
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
    pub async fn until(&mut self, name: &str) -> Value {
        loop {
            let told = self.next().await.expect("the stream goes on");
            if told.name == name {
                return told.data;
            }
        }
    }

    /// The next one within so long that fits.
    pub async fn within(&mut self, limit: Duration, name: &str, fits: impl Fn(&Value) -> bool) -> Value {
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
