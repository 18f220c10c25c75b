//! `GET /api/traces/{id}`: what happened to one request, told by all processes together. `myevents trace` asks in the same way.

use std::time::Duration;

use actix_web::{HttpResponse, http::StatusCode, web};
use serde_json::{Value, json};
use stories::{Wanted, running, told::Told};
use webserver::{input::NoQuery, problem::Problem};

use crate::watch::replicas::Replicas;

/// A person waits for it.
const TIMEOUT: Duration = Duration::from_secs(3);

pub(crate) async fn show(
    replicas: web::Data<Replicas>,
    id: web::Path<String>,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let wanted = Wanted::parse(&id).ok_or_else(|| {
        let right = "the id of a booking, event or request, or 32 hexadecimal digits of a trace";
        Problem::bad_request("id", format!("it must be {right}"))
    })?;
    let found = running::ask(&replicas.current().await, wanted, TIMEOUT).await.map_err(|cause| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "away", "The service is away", format!("{cause:#}"))
    })?;
    if found.stories.is_empty() {
        let detail = format!("nobody knows {id}: a process keeps its last 10,000 stories since its start");
        return Err(Problem::not_found(detail).member("asked", found.asked).member("silent", found.silent));
    }
    let items: Vec<_> = found.stories.iter().map(story).collect();
    Ok(HttpResponse::Ok().json(json!({ "items": items, "asked": found.asked, "silent": found.silent })))
}

/// A story with its steps in order: those that happened, with who says so, and those that may have happened.
fn story(told: &Told) -> Value {
    let Told { story, steps } = told;
    let mut all: Vec<_> = story.steps.iter().map(|known| known.step).chain(steps.keys().copied()).collect();
    all.sort();
    all.dedup();
    let step = |step| {
        let known = steps.get(step);
        json!({ "step": step, "at": known.map(|(at, _)| format!("{at:.6}")), "by": known.map(|(_, by)| by) })
    };
    json!({
        "trace_id": story.trace_id,
        "resource_id": story.resource_id,
        "method": story.method,
        "route": story.route,
        "status": story.status,
        "message_ids": story.message_ids,
        "steps": all.iter().map(step).collect::<Vec<_>>(),
    })
}
