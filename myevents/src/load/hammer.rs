//! One request over and over, by the same client as the load: what the benchmarks compare with.

use std::time::Duration;

use anyhow::bail;
use hdrhistogram::Histogram;
use hyper::Method;
use tokio::{task::JoinSet, time::Instant};

use super::{
    connection::Connection,
    job::{Job, To},
    mix::Kind,
    target::Target,
};

/// What came out.
#[derive(Clone, Copy, Debug)]
pub struct Measured {
    /// Answers a second.
    pub per_second: f64,
    /// Median latency.
    pub p50_ms: f64,
    /// Latency that one in a hundred exceeds.
    pub p99_ms: f64,
}

/// Sends it from so many connections, each again as soon as it is answered. A `POST` where there is a body. Anything but a
/// 200 is an error.
pub async fn hammer(
    target: &Target,
    path: &str,
    body: Option<&str>,
    connections: u32,
    duration: Duration,
) -> anyhow::Result<Measured> {
    let mut job = Job::get(Kind::ReadEvent, To::Events, path.to_owned());
    if let Some(body) = body {
        (job.method, job.body) = (Method::POST, Some(body.to_owned().into()));
    }
    let began = Instant::now();
    let mut clients = JoinSet::new();
    for _ in 0..connections {
        clients.spawn(client(Connection::new(vec![target.clone()], 0), job.clone(), began + duration));
    }
    let mut all = histogram();
    while let Some(ended) = clients.join_next().await {
        all.add(ended??)?;
    }
    let ms = |quantile| all.value_at_quantile(quantile) as f64 / 1000.0;
    Ok(Measured { per_second: all.len() as f64 / began.elapsed().as_secs_f64(), p50_ms: ms(0.5), p99_ms: ms(0.99) })
}

fn histogram() -> Histogram<u64> {
    Histogram::new(3).expect("three digits are possible")
}

async fn client(mut connection: Connection, job: Job, end: Instant) -> anyhow::Result<Histogram<u64>> {
    let mut latency = histogram();
    loop {
        let sent = Instant::now();
        if sent >= end {
            return Ok(latency);
        }
        match connection.exchange(&job).await {
            Ok(answer) if answer.status == 200 => latency.record(sent.elapsed().as_micros() as u64)?,
            Ok(answer) => bail!("{} was answered {}", job.path, answer.status),
            Err(failure) => bail!("{} had no answer: {failure:?}", job.path),
        }
    }
}
