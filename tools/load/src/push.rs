//! `--push`: the result of a load at a Prometheus Pushgateway, for a load that Prometheus cannot scrape since it ends. Each
//! run replaces what the last one of the same name has left there; `--push-delete` takes it away.
//!
//! A Pushgateway shows the last push for ever. That is right for the end of a job and wrong for a service, which is
//! scraped itself: nobody would see that it is gone.

use std::time::Duration;

use anyhow::{Context, bail};
use hyper::{Method, StatusCode};
use metrics::{Gauge, Registry};
use process::checks::{Checks, ConfigError, option};
use rest::{Connection, Request, Target};

use crate::{options::Options, report::Report};

/// For the one request.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The job's name there.
const JOB: &str = "myevents_load";

/// The group of one load: job and instance.
pub(crate) struct Group {
    gateway: Target,
    path: String,
}

impl Group {
    /// What the options ask for; `names` are those of the load's events, which distinguish two loads here, too.
    pub(crate) fn read(options: &Options, names: &str) -> Result<Option<Self>, ConfigError> {
        let mut checks = Checks::new();
        let right = "an address like http://127.0.0.1:9091";
        let gateway = checks.value(option("--push", &options.push), None, right, |text| Target::parse(text).map(Some));
        if options.push_delete && options.push.is_none() {
            checks.problem("--push-delete needs --push: the Pushgateway");
        }
        checks.finish()?;
        let instance = names.replace(' ', "%20");
        Ok(gateway.map(|gateway| Self { gateway, path: format!("/metrics/job/{JOB}/instance/{instance}") }))
    }

    /// Replaces what is there by how a run ended; without a report only by its failure.
    pub(crate) async fn replace(&self, report: Option<&Report>, exit: u8) -> anyhow::Result<()> {
        let answer = metrics::answer(&results(report, exit).gather(), "", "", false);
        self.request(Method::PUT, answer.content_type, answer.body).await
    }

    /// Takes away what is there.
    pub(crate) async fn delete(&self) -> anyhow::Result<()> {
        self.request(Method::DELETE, "text/plain", Vec::new()).await
    }

    async fn request(&self, method: Method, content_type: &'static str, body: Vec<u8>) -> anyhow::Result<()> {
        let request = Request { method, body: Some(body.into()), content_type, ..Request::get(self.path.clone()) };
        let answer = Connection::new(vec![self.gateway.clone()], 0, TIMEOUT).exchange(&request).await;
        let answer = answer.context("the Pushgateway cannot be reached")?;
        match answer.status {
            StatusCode::OK | StatusCode::ACCEPTED => Ok(()),
            status => {
                let (url, said) = (&self.gateway.url, String::from_utf8_lossy(&answer.body));
                bail!("the Pushgateway at {url}{} answered {status}: {}", self.path, said.trim())
            }
        }
    }
}

/// How the load ended.
fn results(report: Option<&Report>, exit: u8) -> Registry {
    let registry = Registry::new();
    let show = |gauge: metrics::Result<Gauge>, value| gauge.expect("the name is valid, and there once").set(value);
    show(registry.gauge("myevents_load_exit_code", "What the load ended with; 0 is well."), f64::from(exit));
    let Some(report) = report else { return registry };
    show(registry.gauge("myevents_load_requests", "Requests that were sent."), report.requests as f64);
    show(
        registry.gauge("myevents_load_unexpected_answers", "Answers that should not have been."),
        report.unexpected.count as f64,
    );
    show(registry.gauge("myevents_load_unanswered_requests", "Requests that had no answer."), report.unanswered as f64);
    show(registry.gauge("myevents_load_booked_seats", "Seats that were booked."), report.seats_booked as f64);
    show(registry.gauge("myevents_load_duration_seconds", "How long it was measured, in seconds."), report.seconds);
    registry
}
