//! A scrape of the booking service with 1,000 event labels, in each form, beside a bare answer of the same port.

use std::time::{Duration, Instant};

use anyhow::ensure;

use crate::{median, now, system::System, table::Table};

const EVENTS: u32 = 1000;
const ROUNDS: usize = 21;

const FORMS: [(&str, &str); 3] = [
    ("text", "text/plain;version=0.0.4"),
    ("OpenMetrics", "application/openmetrics-text;version=1.0.0"),
    ("protobuf", "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;encoding=delimited"),
];
const ENCODINGS: [&str; 2] = ["identity", "gzip"];

/// What one kind of scrape took.
#[derive(Default)]
struct Of {
    ms: Vec<f64>,
    bytes: usize,
}

pub(crate) async fn measure(table: &mut Table) -> anyhow::Result<()> {
    now("scrapes");
    let system = System::start().await?;
    system.book(16, EVENTS, Duration::from_millis(500)).await?;
    let text = system.ops("/metrics", FORMS[0].1, ENCODINGS[0]).await?;
    let labels = String::from_utf8(text)?.lines().filter(|line| line.starts_with("myevents_bookings_count{")).count();
    ensure!(labels >= EVENTS as usize, "{labels} event labels only");

    let (mut bare, mut scraped) = (Vec::new(), [(); 6].map(|()| Of::default()));
    for _ in 0..ROUNDS {
        let began = Instant::now();
        system.ops("/livez", FORMS[0].1, ENCODINGS[0]).await?;
        bare.push(began.elapsed().as_secs_f64() * 1e3);
        for ((_, accept, encoding), of) in kinds().zip(&mut scraped) {
            let began = Instant::now();
            of.bytes = system.ops("/metrics", accept, encoding).await?.len();
            of.ms.push(began.elapsed().as_secs_f64() * 1e3);
        }
    }
    table.add("bare answer of the ops port (/livez)", median(&bare), "ms", None);
    let base = median(&scraped[0].ms);
    for ((form, _, encoding), of) in kinds().zip(&scraped) {
        let compressed = if encoding == "gzip" { ", gzip" } else { "" };
        table.add(format!("scrape with 1,000 event labels: {form}{compressed}"), median(&of.ms), "ms", None);
        table.add("… its size", of.bytes as f64 / 1e3, "kB", None);
        table.add("… its time to that of plain text", median(&of.ms) / base, "", None);
    }
    Ok(())
}

fn kinds() -> impl Iterator<Item = (&'static str, &'static str, &'static str)> {
    FORMS.into_iter().flat_map(|(form, accept)| ENCODINGS.map(|encoding| (form, accept, encoding)))
}
