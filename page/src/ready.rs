//! `GET /api/ready`: what `/readyz` of each process says, or why it says nothing.

use std::{collections::BTreeMap, time::Duration};

use actix_web::{HttpResponse, web};
use futures_util::future::join_all;
use rest::{Connection, Request, Target};
use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::{sync::Mutex, time::Instant};

use crate::watch::replicas::Replicas;

/// Longer than the slowest `/readyz`, which gives each of its checks 2 s.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What is known is right for so long.
const FRESH: Duration = Duration::from_secs(2);

/// What one process says.
#[derive(Serialize)]
struct Process {
    service: &'static str,
    address: String,
    /// Whether it answers at all.
    answers: bool,
    /// Why not.
    error: Option<String>,
    /// What its `/readyz` says.
    report: Option<Report>,
}

/// The body of `/readyz`, as far as it is shown.
#[derive(Deserialize, Serialize)]
struct Report {
    ready: bool,
    stopping: bool,
    checks: BTreeMap<String, Check>,
}

#[derive(Deserialize, Serialize)]
struct Check {
    ok: bool,
    required: bool,
    detail: String,
}

/// What was said last, for all tabs: each `/readyz` looks at store and broker, so many tabs must not ask more often.
#[derive(Default)]
pub(crate) struct Said(Mutex<Option<(Instant, Vec<Process>)>>);

pub(crate) async fn ready(said: web::Data<Said>, replicas: web::Data<Replicas>) -> HttpResponse {
    let mut last = said.0.lock().await;
    if last.as_ref().is_none_or(|(since, _)| since.elapsed() >= FRESH) {
        let ops = replicas.current().await;
        let of = |service, targets: Vec<Target>| targets.into_iter().map(move |target| ask(service, target));
        let all = of("eventservice", ops.events).chain(of("bookingservice", ops.bookings));
        *last = Some((Instant::now(), join_all(all).await));
    }
    HttpResponse::Ok().json(json!({ "items": last.as_ref().map(|(_, items)| items) }))
}

async fn ask(service: &'static str, target: Target) -> Process {
    let address = target.url.clone();
    let answer = Connection::new(vec![target], 0, TIMEOUT).exchange(&Request::get("/readyz".into())).await;
    // A service that is not ready says so with a 503 and the same body.
    let report = answer.map_err(|cause| cause.to_string()).and_then(|answer| {
        serde_json::from_slice(&answer.body).map_err(|_| "it answers what is not understood".to_owned())
    });
    let (report, error) = match report {
        Ok(report) => (Some(report), None),
        Err(cause) => (None, Some(cause)),
    };
    Process { service, address, answers: report.is_some(), error, report }
}
