//! What `/readyz` answers: can this service answer its REST now, and how are the things around it?
//!
//! A check that is *required* decides the status. All others (the broker) are told in the body only: bookings go on
//! without a broker, so no load balancer may take the service away for it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use serde::Serialize;
use tokio_util::sync::CancellationToken;

/// Asks one outside thing how it is. `Ok` and `Err` both carry a few words for the body.
pub type Probe = Arc<dyn Fn() -> BoxFuture<'static, Result<String, String>> + Send + Sync>;

/// A probe that takes longer counts as failed: a hanging disk is not a ready one.
const PATIENCE: Duration = Duration::from_secs(2);

/// The checks of one service.
#[derive(Clone)]
pub struct Health {
    stopping: CancellationToken,
    checks: Vec<(&'static str, bool, Probe)>,
}

/// The body of `/readyz`.
#[derive(Debug, Serialize)]
pub struct Report {
    /// Whether the service can answer its REST.
    pub ready: bool,
    /// True from the first signal on.
    pub stopping: bool,
    /// A line for each check.
    pub checks: BTreeMap<&'static str, CheckReport>,
}

/// How one outside thing is.
#[derive(Debug, Serialize)]
pub struct CheckReport {
    /// Whether it can be used.
    pub ok: bool,
    /// Whether the service is of no use without it.
    pub required: bool,
    /// A few words.
    pub detail: String,
}

impl Health {
    /// Not ready any more as soon as `stopping` is cancelled.
    pub fn new(stopping: CancellationToken) -> Self {
        Self { stopping, checks: Vec::new() }
    }

    /// Cancelled by the first signal.
    pub fn stopping(&self) -> &CancellationToken {
        &self.stopping
    }

    /// Adds something without which the service cannot answer.
    pub fn required(mut self, name: &'static str, probe: Probe) -> Self {
        self.checks.push((name, true, probe));
        self
    }

    /// Adds something that is only told.
    pub fn told(mut self, name: &'static str, probe: Probe) -> Self {
        self.checks.push((name, false, probe));
        self
    }

    /// Asks all checks, one after the other.
    pub async fn report(&self) -> Report {
        let stopping = self.stopping.is_cancelled();
        let mut report = Report { ready: !stopping, stopping, checks: BTreeMap::new() };
        for (name, required, probe) in &self.checks {
            let answer = tokio::time::timeout(PATIENCE, probe()).await;
            let (ok, detail) = match answer {
                Ok(Ok(detail)) => (true, detail),
                Ok(Err(detail)) => (false, detail),
                Err(_) => (false, format!("no answer within {} s", PATIENCE.as_secs())),
            };
            report.ready &= ok || !required;
            report.checks.insert(name, CheckReport { ok, required: *required, detail });
        }
        report
    }
}
