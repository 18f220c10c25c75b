//! `GET /traces/{id}` of the ops port: the stories of a trace, or of the request that made something. Each process tells what it knows
//! itself; `myevents trace` asks all of them.

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
            let right = || Problem::bad_request("id", format!("{cause}; and not a UUID of what a request made"));
            stories.of_resource(uuid(&id, "id").map_err(|_| right())?).into_iter().collect()
        }
    };
    if found.is_empty() {
        let detail =
            format!("nothing is known of {id} here: a process keeps its last {STORIES_MAX} stories since its start");
        return Err(Problem::not_found(detail));
    }
    Ok(HttpResponse::Ok().json(json!({ "items": found })))
}
