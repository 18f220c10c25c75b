//! The ops port: `/metrics`, `/livez`, `/readyz`, `/dead`. It is not the REST port, so that metrics are not shown to callers by
//! accident.
//!
//! `/livez` checks nothing outside the process: a service that waits for its database must not be killed for that.

use std::{collections::BTreeMap, io, net::TcpListener, sync::Arc, time::Duration};

use actix_web::{HttpResponse, web};
use messaging::DeadLetters;
use process::{
    health::Health,
    metrics::{Metrics, runtime::Runtimes},
};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;
use webserver::{
    connection_limits::{Limits, Timeouts, descriptors, ops_connections},
    input::{NoQuery, Query, uuid},
    problem::Problem,
    routes::{nowhere, resource},
    small::SmallServer,
};

/// Shorter than for REST: a client of the ops port is near, and sends its head at once.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(2), Duration::from_secs(5));

/// What the ops port answers with.
#[derive(Clone)]
pub struct Ops {
    /// For `/metrics`.
    pub metrics: Metrics,
    /// For `/readyz`.
    pub health: Health,
    /// For `/dead`; `None` for a program without messages, which has no such URL.
    pub dead: Option<Arc<dyn DeadLetters>>,
    /// The metrics of its runtime.
    pub runtimes: Runtimes,
}

impl Ops {
    /// Starts the ops server of the program `name`, on a thread of its own, since encoding 100,000 series takes 0.1 s.
    pub fn serve(self, listener: TcpListener, name: &str) -> io::Result<SmallServer> {
        let limits = Limits { connections: ops_connections(descriptors()), timeouts: TIMEOUTS, drain_seconds: 1 };
        SmallServer::start(limits, listener, &format!("ops-{name}"), move |app| {
            self.runtimes.join("ops");
            app.app_data(web::Data::new(self.clone()))
                .service(resource("/metrics").get(metrics).done())
                .service(resource("/livez").get(livez).done())
                .service(resource("/readyz").get(readyz).done());
            match self.dead {
                Some(dead_letters) => app
                    .app_data(web::Data::from(dead_letters))
                    .service(resource("/dead").get(dead).done())
                    .service(resource("/dead/redrive").post(redrive).done())
                    .default_service(nowhere("there are /metrics, /livez, /readyz, /dead and /dead/redrive")),
                None => app.default_service(nowhere("there are /metrics, /livez and /readyz")),
            };
        })
    }
}

async fn metrics(ops: web::Data<Ops>) -> HttpResponse {
    match ops.metrics.encode().await {
        Ok(text) => HttpResponse::Ok().insert_header(("content-type", process::metrics::CONTENT_TYPE)).body(text),
        Err(cause) => {
            tracing::error!("the metrics cannot be encoded: {cause}");
            HttpResponse::InternalServerError().finish()
        }
    }
}

async fn livez() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}

async fn readyz(ops: web::Data<Ops>) -> HttpResponse {
    let report = ops.health.report().await;
    let mut response = if report.ready { HttpResponse::Ok() } else { HttpResponse::ServiceUnavailable() };
    response.json(report)
}

async fn dead(letters: web::Data<dyn DeadLetters>, _: NoQuery) -> Result<HttpResponse, Problem> {
    let letters = letters.list().await.map_err(|cause| away(&cause))?;
    Ok(HttpResponse::Ok().json(BTreeMap::from([("items", letters)])))
}

/// `POST /dead/redrive?id=…`; without `id` all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    id: Option<String>,
}

async fn redrive(letters: web::Data<dyn DeadLetters>, which: Query<Which>) -> Result<HttpResponse, Problem> {
    let id: Option<Uuid> = which.0.id.as_deref().map(|text| uuid(text, "id")).transpose()?;
    let redriven = letters.redrive(id).await.map_err(|cause| away(&cause))?;
    if let (Some(id), 0) = (id, redriven) {
        return Err(Problem::not_found(format!("there is no dead letter {id}")));
    }
    tracing::info!(redriven, "dead letters go to their queue again");
    Ok(HttpResponse::Ok().json(json!({ "redriven": redriven })))
}

fn away(cause: &messaging::outbox::OutboxError) -> Problem {
    Problem::unavailable(format!("the dead letters cannot be reached: {cause}"))
}
