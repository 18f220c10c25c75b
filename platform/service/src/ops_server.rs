//! The ops port: `/metrics`, `/livez`, `/readyz`, `/dead`, `/traces/{id}`, and a page at `/` that lists them. It is not the REST port,
//! so that metrics are not shown to callers by accident.
//!
//! `/livez` checks nothing outside the process: a service that waits for its database must not be killed for that.

use std::{
    collections::BTreeMap,
    io,
    net::TcpListener,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_web::{HttpRequest, HttpResponse, web};
use messaging::DeadLetters;
use process::{
    health::Health,
    metrics::{Metrics, runtime::Runtimes},
};
use serde::Deserialize;
use serde_json::json;
use trace::Stories;
use uuid::Uuid;
use webserver::{
    connection_limits::{Limits, Timeouts, descriptors, ops_connections},
    input::{NoQuery, Query, uuid},
    problem::Problem,
    routes::{nowhere, resource},
    scrape,
    small::SmallServer,
};

use crate::{html, traces};

/// Shorter than for REST: a client of the ops port is near, and sends its head at once.
const TIMEOUTS: Timeouts = Timeouts::new(Duration::from_secs(2), Duration::from_secs(5));

/// What every ops port has.
const LINKS: [(&str, &str); 3] = [
    ("metrics", "for Prometheus"),
    ("livez", "whether the process lives"),
    ("readyz", "whether it can answer its callers, and how what it needs is doing"),
];

/// What a service has besides.
const TRACES: &str =
    "<li>/traces/<i>id</i>: what happened to a request, by its trace id or by the id of what it made</li>\n";

/// What the ops port answers with.
#[derive(Clone)]
pub struct Ops {
    /// For `/metrics`.
    pub metrics: Metrics,
    /// For `/readyz`.
    pub health: Health,
    /// For `/dead`; `None` for a program without messages, which has no such URL.
    pub dead: Option<Arc<dyn DeadLetters>>,
    /// For `/traces/{id}`; `None` for a program that keeps none.
    pub stories: Option<Stories>,
    /// The metrics of its runtime.
    pub runtimes: Runtimes,
    /// The program's version, for the page.
    pub version: &'static str,
}

/// What the page says.
struct Page {
    name: String,
    since: Instant,
}

impl Ops {
    /// Starts the ops server of the program `name`, on a thread of its own, since encoding 100,000 series takes 0.1 s.
    pub fn serve(self, listener: TcpListener, name: &str) -> io::Result<SmallServer> {
        let limits = Limits { connections: ops_connections(descriptors()), timeouts: TIMEOUTS, drain_seconds: 1 };
        let page = Page { name: name.to_owned(), since: Instant::now() };
        SmallServer::start(limits, listener, &format!("ops-{name}"), move |app| {
            self.runtimes.join("ops");
            app.app_data(web::Data::new(self.clone()))
                .app_data(web::Data::new(page))
                .service(resource("/").get(index).done())
                .service(resource("/metrics").get(metrics).done())
                .service(resource("/livez").get(livez).done())
                .service(resource("/readyz").get(readyz).done())
                .default_service(nowhere("/ lists what there is"));
            if let Some(dead_letters) = self.dead {
                app.app_data(web::Data::from(dead_letters))
                    .service(resource("/dead").get(dead).done())
                    .service(resource("/dead/redrive").post(redrive).done());
            }
            if let Some(stories) = self.stories {
                app.app_data(web::Data::new(stories)).service(resource("/traces/{id}").get(traces::show).done());
            }
        })
    }
}

async fn index(ops: web::Data<Ops>, page: web::Data<Page>) -> HttpResponse {
    let dead: &[_] = match ops.dead {
        Some(_) => &[("dead", "messages that could not be handled; <code>POST /dead/redrive</code> sends them again")],
        None => &[],
    };
    let links =
        LINKS.iter().chain(dead).map(|(path, what)| format!("<li><a href=\"{path}\">/{path}</a>: {what}</li>\n"));
    let traces = ops.stories.as_ref().map_or("", |_| TRACES);
    let (links, title) = (links.collect::<String>() + traces, format!("{}: ops port", page.name));
    let (seconds, version) = (page.since.elapsed().as_secs(), ops.version);
    let (days, hours, minutes) = (seconds / 86_400, seconds / 3600 % 24, seconds / 60 % 60);
    let uptime = format!("{days} d {hours} h {minutes} min {} s", seconds % 60);
    let body = format!("<h1>{title}</h1>\n<p>Version {version}, up for {uptime}</p>\n<ul>\n{links}</ul>");
    html::answer(html::framed(&title, None, &body))
}

async fn metrics(ops: web::Data<Ops>, request: HttpRequest) -> HttpResponse {
    let [accept, accept_encoding] = scrape::wanted(&request);
    scrape::answered(ops.metrics.answer(&accept, &accept_encoding).await)
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
