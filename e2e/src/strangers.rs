//! Messages of somebody else in the queues of both services: each is listed among the dead letters, and is there again after a
//! redrive.
#![expect(clippy::unwrap_used, reason = "a test may panic")]

use std::time::{Duration, Instant};

use serde_json::Value;
use testing::strangers;

use crate::eventually;

/// Dozens of messages, once they were read.
const SET_ASIDE: Duration = Duration::from_secs(20);

/// Until what has a time to live would be gone.
const EXPIRED: Duration = Duration::from_secs(4);

const QUEUES: [&str; 2] = ["bookingservice", "eventservice"];

/// `url` is for a user whom no service has. `dead` runs `myevents dead` on a system without dead letters, and leaves it so.
pub async fn are_listed_and_redriven(url: &str, dead: impl Fn(&[&str]) -> String) {
    let mut bodies = Vec::new();
    for queue in QUEUES {
        bodies.extend(strangers::publish_each(url, queue).await);
    }
    bodies.sort();
    let (list, published) = (|| list(&dead(&["list", "--json"])), Instant::now());
    let are_there = |letters: &[Letter]| letters.iter().map(|(body, _)| body).eq(&bodies);
    let what = format!("all {} are listed", bodies.len());
    let letters = eventually(SET_ASIDE, &what, async || Some(list()).filter(|letters| are_there(letters))).await;
    eventually(SET_ASIDE, "some would expire", async || (published.elapsed() > EXPIRED).then_some(())).await;
    assert_eq!(list(), letters);

    let said = dead(&["redrive", "--all"]);
    assert!(said.contains(&format!("{} messages go to the queue again", bodies.len())), "{said}");
    let again = eventually(SET_ASIDE, &what, async || Some(list()).filter(|letters| are_there(letters))).await;
    assert_eq!(again, letters, "the same ones, and none of them twice");

    let connection = lapin::Connection::connect(url, Default::default()).await.unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in QUEUES {
        channel.queue_purge(format!("{queue}.dead").into(), Default::default()).await.unwrap();
    }
    connection.close(200, "".into()).await.unwrap();
}

/// Body and id.
type Letter = (String, String);

fn list(json: &str) -> Vec<Letter> {
    let letters: Vec<Value> = serde_json::from_str(json).unwrap();
    let text = |letter: &Value, field: &str| letter[field].as_str().unwrap().to_owned();
    let mut letters: Vec<_> = letters.iter().map(|letter| (text(letter, "body"), text(letter, "id"))).collect();
    letters.sort();
    letters
}
