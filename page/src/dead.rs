//! `/api/dead`: the messages that a queue gave up on, and the button that sends them again.

use std::time::Duration;

use actix_web::{HttpResponse, http::StatusCode, web};
use messaging::DeadLetter;
use rest::{
    dead_letters::{self, OfEach},
    urls::Urls,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use webserver::{
    input::{Json, NoQuery, uuid},
    problem::Problem,
};

/// A person waits for it.
const TIMEOUT: Duration = Duration::from_secs(5);

/// A dead letter, and the service that keeps it.
#[derive(Serialize)]
struct Letter {
    kept_by: &'static str,
    #[serde(flatten)]
    letter: DeadLetter,
}

pub(crate) async fn list(urls: web::Data<Urls>, _: NoQuery) -> HttpResponse {
    let (lists, silent) = told(dead_letters::list(&urls.ops, TIMEOUT).await);
    let letters = lists
        .into_iter()
        .flat_map(|(kept_by, letters)| letters.into_iter().map(move |letter| Letter { kept_by, letter }));
    HttpResponse::Ok().json(json!({ "items": letters.collect::<Vec<_>>(), "silent": silent }))
}

/// Which: the one with this id, or all.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Which {
    id: Option<String>,
}

pub(crate) async fn redrive(urls: web::Data<Urls>, Json(which): Json<Which>) -> Result<HttpResponse, Problem> {
    let id = which.id.as_deref().map(|text| uuid(text, "id")).transpose()?;
    let (counts, silent) = told(dead_letters::redrive(&urls.ops, id).await);
    let redriven: u64 = counts.iter().map(|(_, count)| count).sum();
    match (redriven, silent.is_empty(), id) {
        (0, true, Some(id)) => Err(Problem::not_found(format!("there is no dead letter {id}"))),
        (0, false, _) => {
            let (title, detail) = ("The service is away", silent.join("; "));
            Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, "away", title, detail))
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
