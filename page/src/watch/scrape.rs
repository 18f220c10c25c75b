//! Asks all processes of a service for their `/metrics`, side by side.

use std::time::Duration;

use futures_util::future::join_all;
use rest::{Connection, Request, Target, exposition::Exposition};

use super::{reading::Reading, sample::Answers};

/// Less than the time between two samples. One that does not answer in it is counted as such.
const TIMEOUT: Duration = Duration::from_millis(1500);

/// What the processes at `targets` say.
pub(super) async fn scrape(targets: &[Target]) -> Answers {
    let readings = join_all(targets.iter().map(one)).await;
    let known: Vec<_> = targets.iter().map(|target| target.url.clone()).collect();
    let answered = known.iter().cloned().zip(readings);
    let readings = answered.filter_map(|(address, reading)| Some((address, reading?))).collect();
    Answers { known, readings }
}

async fn one(target: &Target) -> Option<Reading> {
    // Until the next sample this connection would be idle for longer than it may be.
    let asked = async {
        let mut connection = Connection::new(vec![target.clone()], 0, TIMEOUT);
        connection.exchange(&Request::get("/metrics".into())).await
    };
    let answer = tokio::time::timeout(TIMEOUT, asked).await.ok()?.ok()?;
    let text = String::from_utf8(answer.body.into()).ok().filter(|_| answer.status.is_success())?;
    Reading::of(&Exposition(text))
}
