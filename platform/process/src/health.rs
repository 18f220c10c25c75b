//! Readiness, as `/readyz` reports it: can this service answer its REST now, and how are the things that it depends on?
//!
//! A check that is *required* decides the status. An *informational* one (the broker) is only shown in the body: the service
//! answers without a broker, so a load balancer must not take it out for that.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Checks one thing that the service depends on. `Ok` and `Err` both carry a few words for the body.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// A probe that takes longer has failed: a disk that hangs is not ready.
const PROBE_TIMEOUT: Duration = Duration::from_secs(2);

/// The checks of one service.
#[derive(Clone)]
pub struct Health {
    /// Cancelled by the first signal; not ready any more from then on.
    pub stopping: CancellationToken,
    checks: Vec<(&'static str, bool, Probe)>,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether the service can answer its REST.
    pub ready: bool,
    /// True from the first signal on.
    pub stopping: bool,
    /// The result of each check, by its name.
    pub checks: BTreeMap<&'static str, CheckReport>,
}

/// The result of one check.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// Whether the thing can be used.
    pub ok: bool,
    /// Whether the service cannot answer without it.
    pub required: bool,
    /// A few words about it.
    pub detail: String,
}

impl Health {
    /// Without any check.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { stopping, checks: Vec::new() }
    }

    /// Adds a check of something without which the service cannot answer.
    pub fn required(mut self, name: &'static str, probe: Probe) -> Self {
        self.checks.push((name, true, probe));
        self
    }

    /// Adds a check that is only shown in the body.
    pub fn informational(mut self, name: &'static str, probe: Probe) -> Self {
        self.checks.push((name, false, probe));
        self
    }

    /// Runs all checks, one after the other.
    pub async fn report(&self) -> Report {
        let stopping = self.stopping.is_cancelled();
        let mut report = Report { ready: !stopping, stopping, checks: BTreeMap::new() };
        for (name, required, probe) in &self.checks {
            let answer = tokio::time::timeout(PROBE_TIMEOUT, probe()).await;
            let (ok, detail) = match answer {
                Ok(Ok(detail)) => (true, detail),
                Ok(Err(detail)) => (false, detail),
                Err(_) => (false, format!("no answer within {} s", PROBE_TIMEOUT.as_secs())),
            };
            report.ready &= ok || !required;
            report.checks.insert(name, CheckReport { ok, required: *required, detail });
        }
        report
    }
}
