//! What is forwarded to the services: the URLs of this table, and nothing else. The browser then speaks with one origin only, so no service
//! has to allow requests of other pages (CORS).
//!
//! Of a request go on: query, body and `Idempotency-Key`. Of an answer come back: status, body, and the headers that the page reads. No
//! cookie and no `Authorization` goes either way, and nothing that is for one connection only (hop-by-hop).

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{self, HeaderName, HeaderValue},
    },
    web,
};
use rest::{Failure, Request};
use webserver::{input::JsonText, problem::Problem, routes::resource};

use crate::upstream::Upstream;

/// The headers of an answer that come back.
const HEADERS: [&str; 5] = ["content-type", "retry-after", "idempotent-replay", "x-request-id", "allow"];

/// Both services.
pub(crate) struct Services {
    pub(crate) events: Upstream,
    pub(crate) bookings: Upstream,
}

/// The URLs. An id has no slash and nothing to escape, so it is put into the service's path as it is.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    app.service(resource("/api/events").get(list).post(create).done())
        .service(resource("/api/events/{id:[0-9A-Za-z-]{1,64}}").get(event).done())
        .service(resource("/api/events/{id:[0-9A-Za-z-]{1,64}}/seats").get(seats).done())
        .service(resource("/api/events/{id:[0-9A-Za-z-]{1,64}}/bookings").post(book).done())
        .service(resource("/api/bookings/{id:[0-9A-Za-z-]{1,64}}").get(booking).delete(cancel).done());
}

type To = web::Data<Services>;

async fn list(services: To, request: HttpRequest) -> Result<HttpResponse, Problem> {
    send(&services.events, Request::get(with_query("/events".into(), &request))).await
}

async fn create(services: To, request: HttpRequest, body: JsonText) -> Result<HttpResponse, Problem> {
    send(&services.events, post("/events".into(), &request, body)?).await
}

async fn event(services: To, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    send(&services.events, Request::get(with_query(format!("/events/{id}"), &request))).await
}

async fn seats(services: To, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    send(&services.bookings, Request::get(with_query(format!("/events/{id}"), &request))).await
}

async fn book(
    services: To,
    request: HttpRequest,
    id: web::Path<String>,
    body: JsonText,
) -> Result<HttpResponse, Problem> {
    send(&services.bookings, post(format!("/events/{id}/bookings"), &request, body)?).await
}

async fn booking(services: To, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    send(&services.bookings, Request::get(with_query(format!("/bookings/{id}"), &request))).await
}

async fn cancel(services: To, request: HttpRequest, id: web::Path<String>) -> Result<HttpResponse, Problem> {
    send(&services.bookings, Request::delete(with_query(format!("/bookings/{id}"), &request))).await
}

fn with_query(path: String, request: &HttpRequest) -> String {
    match request.query_string() {
        "" => path,
        query => format!("{path}?{query}"),
    }
}

fn post(path: String, request: &HttpRequest, JsonText(body): JsonText) -> Result<Request, Problem> {
    let mut keys = request.headers().get_all("idempotency-key");
    let key = keys.next().map(HeaderValue::to_str);
    let wrong = || Problem::bad_request("Idempotency-Key", "give one key, of visible ASCII characters");
    let key = key.transpose().map_err(|_| wrong())?.map(str::to_owned);
    if keys.next().is_some() {
        return Err(wrong());
    }
    Ok(Request { key, ..Request::post(with_query(path, request), body) })
}

async fn send(service: &Upstream, request: Request) -> Result<HttpResponse, Problem> {
    let answer = service.exchange(&request).await.map_err(|cause| silent(service.name, &request, &cause))?;
    // actix has types of its own for these: those of an older `http`.
    let status = StatusCode::from_u16(answer.status.as_u16()).expect("it is a status");
    let mut response = HttpResponse::build(status);
    for name in HEADERS {
        answer.headers.get_all(name).iter().for_each(|value| {
            response.append_header((HeaderName::from_static(name), value.as_bytes()));
        });
    }
    Ok(response.body(answer.body))
}

/// What a failure means for who asked: nothing happened, or nobody knows.
pub(crate) fn silent(name: &str, request: &Request, cause: &Failure) -> Problem {
    let (slug, title, detail) = match cause {
        Failure::Away(_) => (
            "away",
            "The service is away",
            format!("the {name} cannot be reached, so nothing has happened; ask again in a moment"),
        ),
        Failure::Unanswered if request.method.is_safe() => {
            ("away", "The service is away", format!("the {name} did not answer; ask again in a moment"))
        }
        Failure::Unanswered => {
            let again = if request.key.is_some() { "ask again under the same key" } else { "look whether it was" };
            let detail = format!("the {name} did not answer: the request may have been handled; {again}");
            ("outcome-unknown", "Nobody knows what happened", detail)
        }
    };
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, slug, title, detail).header(header::RETRY_AFTER, "1")
}
