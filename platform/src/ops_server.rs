//! The ops port: `/metrics`, `/livez`, `/readyz`, `/dead`. Never the REST port: metrics must not leak to the outside by
//! accident.
//!
//! `/livez` looks at nothing outside the process: a service that waits for its database must not be killed for it.

use std::{io, net::TcpListener, sync::Arc};

use actix_web::{App, HttpResponse, HttpServer, dev::Server, web};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::{
    health::Health,
    http::{
        input::{NoQuery, Query, uuid},
        routes::{nowhere, resource},
    },
    metrics::{Metrics, runtime::Runtimes},
    outbox::{DeadLetter, DeadLetters},
    problem::Problem,
    threads,
};

/// What the ops port shows.
#[derive(Clone)]
pub struct Ops {
    /// For `/metrics`.
    pub metrics: Metrics,
    /// For `/readyz`.
    pub health: Health,
    /// For `/dead`.
    pub dead: Arc<dyn DeadLetters>,
    /// Where its runtime is measured.
    pub runtimes: Runtimes,
}

impl Ops {
    /// Makes the server; it answers as soon as it is polled.
    pub fn serve(self, listener: TcpListener) -> io::Result<Server> {
        let server = HttpServer::new(move || {
            self.runtimes.join("ops");
            App::new()
                .app_data(web::Data::new(self.clone()))
                .service(resource("/metrics").get(metrics).done())
                .service(resource("/livez").get(livez).done())
                .service(resource("/readyz").get(readyz).done())
                .service(resource("/dead").get(dead).done())
                .service(resource("/dead/redrive").post(redrive).done())
                .default_service(web::to(nowhere))
        });
        let server = server.workers(threads::OPS_WORKERS).worker_max_blocking_threads(threads::BLOCKING);
        Ok(server.max_connections(256).shutdown_timeout(1).disable_signals().listen(listener)?.run())
    }
}

async fn metrics(ops: web::Data<Ops>) -> HttpResponse {
    match ops.metrics.encode().await {
        Ok(text) => HttpResponse::Ok().insert_header(("content-type", crate::metrics::CONTENT_TYPE)).body(text),
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

/// The body of `GET /dead`.
#[derive(Serialize)]
struct DeadList {
    items: Vec<DeadLetter>,
}

async fn dead(ops: web::Data<Ops>, _: NoQuery) -> Result<HttpResponse, Problem> {
    let items = ops.dead.list().await.map_err(|cause| away(&cause))?;
    Ok(HttpResponse::Ok().json(DeadList { items }))
}

/// `POST /dead/redrive?id=…`; without `id` all of them.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Which {
    id: Option<String>,
}

async fn redrive(ops: web::Data<Ops>, which: Query<Which>) -> Result<HttpResponse, Problem> {
    let id: Option<Uuid> = which.0.id.as_deref().map(|text| uuid(text, "id")).transpose()?;
    let redriven = ops.dead.redrive(id).await.map_err(|cause| away(&cause))?;
    if let (Some(id), 0) = (id, redriven) {
        return Err(Problem::not_found(format!("there is no dead letter {id}")));
    }
    tracing::info!(redriven, "dead letters go to their queue again");
    Ok(HttpResponse::Ok().json(serde_json::json!({ "redriven": redriven })))
}

fn away(cause: &crate::outbox::OutboxError) -> Problem {
    Problem::unavailable(format!("the dead letters cannot be reached: {cause}"))
}
