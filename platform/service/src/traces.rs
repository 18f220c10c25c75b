//! `GET /traces/{id}` of the ops port: the stories of a trace, of the request that made something, or of that with this request id.
//! Each process tells what it knows itself; `myevents trace` asks all of them.

use actix_web::{HttpResponse, web};
use serde_json::json;
use trace::{Stories, Story, TraceId, stories::STORIES_MAX};
use webserver::{
    input::{NoQuery, uuid},
    problem::Problem,
};

pub(crate) async fn show(
    stories: web::Data<Stories>,
    id: web::Path<String>,
    _: NoQuery,
) -> Result<HttpResponse, Problem> {
    let found: Vec<Story> = match id.parse::<TraceId>() {
        Ok(trace) => stories.of_trace(trace),
        Err(cause) => {
            let right =
                || Problem::bad_request("id", format!("{cause}; and not a UUID of a request, or of what it made"));
            let uuid = uuid(&id, "id").map_err(|_| right())?;
            let of_request = || TraceId::of(uuid).map(|trace| stories.of_trace(trace)).unwrap_or_default();
            stories.of_resource(uuid).map_or_else(of_request, |story| vec![story])
        }
    };
    if found.is_empty() {
        let detail =
            format!("nothing is known of {id} here: a process keeps its last {STORIES_MAX} stories since its start");
        return Err(Problem::not_found(detail));
    }
    Ok(HttpResponse::Ok().json(json!({ "items": found })))
}
