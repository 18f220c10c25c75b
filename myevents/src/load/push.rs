//! `--push`: the result of a load at a Prometheus Pushgateway, for a load that Prometheus cannot scrape since it ends. Each
//! run replaces what the last one of the same name has left there; `--push-delete` takes it away.
//!
//! A Pushgateway shows what it was told for ever. That is right for the end of a job and wrong for a service, which is
//! scraped itself: nobody would see that it is gone.

use std::{fmt::Write, time::Duration};

use anyhow::{Context, bail};
use process::checks::{Checks, ConfigError, option};
use reqwest::{Client, Method, StatusCode};

use super::{options::Options, report::Report, target::Target};

/// For the one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The job's name there, its metrics' names begin with.
const JOB: &str = "myevents_load";

/// The group of one load: job and instance.
pub(super) struct Group {
    url: String,
}

impl Group {
    /// What the options ask for; `names` are those of the load's events, which tell two loads apart here, too.
    pub(super) fn read(options: &Options, names: &str) -> Result<Option<Self>, ConfigError> {
        let mut checks = Checks::new();
        let right = "an address like http://127.0.0.1:9091";
        let target = checks.value(option("--push", &options.push), None, right, |text| Target::parse(text).map(Some));
        if options.push_delete && options.push.is_none() {
            checks.problem("--push-delete needs --push: the Pushgateway");
        }
        checks.finish()?;
        let instance = names.replace(' ', "%20");
        Ok(target.map(|target| Self { url: format!("{}/metrics/job/{JOB}/instance/{instance}", target.url) }))
    }

    /// Tells how a run ended in place of what is there; without a report only that it failed.
    pub(super) async fn replace(&self, report: Option<&Report>, exit: u8) -> anyhow::Result<()> {
        self.request(Method::PUT, exposition(report, exit)).await
    }

    /// Takes away what is there.
    pub(super) async fn delete(&self) -> anyhow::Result<()> {
        self.request(Method::DELETE, String::new()).await
    }

    async fn request(&self, method: Method, body: String) -> anyhow::Result<()> {
        let client = Client::builder().no_proxy().timeout(TIMEOUT).build()?;
        let request = client.request(method, &self.url).header("content-type", process::metrics::CONTENT_TYPE);
        let answer = request.body(body).send().await.context("the Pushgateway cannot be reached")?;
        match answer.status() {
            StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
            status => bail!("the Pushgateway at {} answered {status}: {}", self.url, answer.text().await?.trim()),
        }
    }
}

/// The text format.
fn exposition(report: Option<&Report>, exit: u8) -> String {
    let mut metrics = vec![("exit_code", "What the load ended with; 0 is well.", f64::from(exit))];
    if let Some(report) = report {
        metrics.extend([
            ("requests", "Requests that were sent.", report.requests as f64),
            ("unexpected_answers", "Answers that should not have been.", report.unexpected.count as f64),
            ("unanswered_requests", "Requests that had no answer.", report.unanswered as f64),
            ("booked_seats", "Seats that were booked.", report.seats_booked as f64),
            ("duration_seconds", "How long it was measured, in seconds.", report.seconds),
        ]);
    }
    let mut text = String::new();
    for (name, help, value) in metrics {
        let name = format!("{JOB}_{name}");
        let written = write!(text, "# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n");
        written.expect("a String takes any text");
    }
    text
}
