//! One request over and over, by the same client as the load: what bookings are compared with.

use std::time::Duration;

use anyhow::bail;
use hdrhistogram::Histogram;
use hyper::Method;
use rest::{Connection, Request, Target};
use tokio::{task::JoinSet, time::Instant};

/// A request without an answer is given up after so long, as in a load.
const TIMEOUT: Duration = Duration::from_secs(10);

/// What came out.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Measured {
    /// Answers a second.
    pub(crate) per_second: f64,
    /// Latency that one in a hundred exceeds.
    pub(crate) p99_ms: f64,
}

/// Sends it from so many connections, each again as soon as it is answered. A `POST` where there is a body. Anything but a
/// 200 is an error.
pub(crate) async fn send(
    target: &Target,
    path: &str,
    body: Option<&str>,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Measured> {
    let mut request = Request::get(path.to_owned());
    if let Some(body) = body {
        (request.method, request.body) = (Method::POST, Some(body.to_owned().into()));
    }
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(Connection::new(vec![target.clone()], 0, TIMEOUT), request.clone(), began + duration));
    }
    let mut all = histogram();
    while let Some(ended) = clients.join_next().await {
        all.add(ended??)?;
    }
    let ms = |quantile| all.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Measured { per_second: all.len() as f64 / began.elapsed().as_secs_f64(), p99_ms: ms(0.99) })
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are possible")
}

async fn client(mut connection: Connection, request: Request, end: Instant) -> anyhow::Result<Histogram<u64>> {
    let mut latency = histogram();
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latency);
        }
        match connection.exchange(&request).await {
            Ok(answer) if answer.status == 200 => latency.record(sent.elapsed().as_micros() as u64)?,
            Ok(answer) => bail!("{} was answered {}", request.path, answer.status),
            Err(failure) => bail!("{} had no answer: {failure:?}", request.path),
        }
    }
}
