//! `/api/dead`: the messages that a queue gave up on, and the button that sends them again.

use std::time::Duration;

use actix_web::{HttpResponse, http::StatusCode, web};
use jiff::Timestamp;
use messaging::DeadLetter;
use rest::{
    Failure, RestError,
    dead_letters::{self, OfEach},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use uuid::Uuid;
use webserver::{
    input::{Json, NoQuery, uuid},
    problem::Problem,
};

use crate::watch::replicas::Replicas;

/// A person waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// What is shown of a dead letter: all but its body, which says who booked.
#[derive(Serialize)]
struct Letter {
    /// The service that keeps it.
    kept_by: &'static str,
    id: Uuid,
    queue: String,
    message: String,
    cause: String,
    attempts: u32,
    occurred_at: Timestamp,
}

impl Letter {
    fn of(kept_by: &'static str, letter: DeadLetter) -> Self {
        let DeadLetter { id, queue, message, cause, attempts, occurred_at, body: _ } = letter;
        Self { kept_by, id, queue, message, cause, attempts, occurred_at }
    }
}

pub(crate) async fn list(replicas: web::Data<Replicas>, _: NoQuery) -> HttpResponse {
    let (lists, silent) = told(dead_letters::list(&replicas.current().await, TIMEOUT).await);
    let letters = lists
        .into_iter()
        .flat_map(|(kept_by, letters)| letters.into_iter().map(move |letter| Letter::of(kept_by, letter)));
    HttpResponse::Ok().json(json!({ "items": letters.collect::<Vec<_>>(), "silent": silent }))
}

/// Which: the one with this id, or all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    id: Option<String>,
}

pub(crate) async fn redrive(replicas: web::Data<Replicas>, Json(which): Json<Which>) -> Result<HttpResponse, Problem> {
    let id = which.id.as_deref().map(|text| uuid(text, "id")).transpose()?;
    let answers = dead_letters::redrive(&replicas.current().await, id).await;
    let sent = |cause: &RestError| matches!(cause, RestError::Silent { cause: Failure::Unanswered, .. });
    let unknown = answers.iter().any(|(_, answer)| answer.as_ref().is_err_and(sent));
    let (counts, silent) = told(answers);
    let redriven: u64 = counts.iter().map(|(_, count)| count).sum();
    match (redriven, silent.is_empty(), id) {
        (0, true, Some(id)) => Err(Problem::not_found(format!("there is no dead letter {id}"))),
        (0, false, _) => {
            let (slug, title) = match unknown {
                true => ("outcome-unknown", "Nobody knows what happened"),
                false => ("away", "The service is away"),
            };
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, slug, title, silent.join("; ")))
        }
        _ => Ok(HttpResponse::Ok().json(json!({ "redriven": redriven, "silent": silent }))),
    }
}

/// What was answered, and who did not.
fn told<T>(answers: OfEach<T>) -> (Vec<(&'static str, T)>, Vec<String>) {
    let (mut told, mut silent) = (Vec::new(), Vec::new());
    for (name, answer) in answers {
        match answer {
            Ok(answer) => told.push((name, answer)),
            Err(cause) => silent.push(format!("{name}: {cause}")),
        }
    }
    (told, silent)
}
