//! The only middleware of REST: gives every request its trace and every answer a request id, counts it, and turns a panic into a 500. At
//! a shutdown, every answer closes its connection.
//!
//! It is the outermost service, so it also sees requests that no route matches. It opens no tracing span: a span per request
//! costs more than half of the throughput.

use std::time::Instant;

use actix_web::{
    Error, HttpMessage, ResponseError,
    body::{BodySize as ResponseSize, BoxBody, MessageBody},
    dev::{ResponseHead, ServiceRequest, ServiceResponse},
    error::InternalError,
    http::{
        ConnectionType,
        header::{HeaderName, HeaderValue},
    },
    middleware::Next,
    web::Data,
};
use process::panics::catch_panic;
use tokio_util::sync::CancellationToken;
use trace::{Stories, Traced, stories::Answer};
use uuid::Uuid;

use crate::{
    http_metrics::{HttpMetrics, UNMATCHED, method_label},
    input::{BodySize, SharedBody, traceparent},
    problem::{Problem, Rejection},
    timed_stream::ConnectionState,
};

const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The middleware function, for `actix_web::middleware::from_fn`.
pub async fn observe(mut request: ServiceRequest, next: Next<BoxBody>) -> Result<ServiceResponse<BoxBody>, Error> {
    let handling = ConnectionState::handling(&request)?; // not counted: it has no answer that a client reads
    let metrics = request.app_data::<Data<HttpMetrics>>().expect("server.rs puts the metrics there").clone();
    let stopping = request.app_data::<Data<CancellationToken>>().expect("server.rs puts the token there").clone();
    let stories = request.app_data::<Data<Stories>>().expect("server.rs puts the stories there").clone();
    let began = Instant::now();
    let method = method_label(request.method().as_str());
    let id = request_id(&request);
    let request_id = id.to_str().unwrap_or_default();
    let traced = Traced::received(&stories, method, traceparent(request.headers()), request_id);
    request.extensions_mut().insert(traced.clone());
    let _in_flight = InFlight::new(&metrics);
    let body = SharedBody::share(&mut request);

    // Read now, since after a panic there is no request any more. A clone of the request would make actix panic when it matches
    // routes (https://github.com/actix/actix-web/issues/2657, open). Here no route is found for a path with %65 in it, which actix
    // decodes later.
    let early = request.match_pattern();
    let answered = match catch_panic(next.call(request)).await {
        Ok(Ok(response)) => Ok(response),
        // After an error or a panic there is no request any more.
        Ok(Err(error)) => Err(error.error_response()),
        Err(panic) => {
            metrics.panics.inc();
            // Logged here and not in the panic hook, which does not know the request id.
            let route = early.as_deref().unwrap_or(UNMATCHED);
            tracing::error!(request_id, trace_id = %traced.trace, method, route, "a panic, which is a bug of ours: {panic}");
            Err(Problem::internal().error_response())
        }
    };
    let finish = |head: &mut ResponseHead, route: Option<&str>| {
        head.headers_mut().insert(REQUEST_ID, id.clone());
        if stopping.is_cancelled() {
            // At a stop, so that a client with a kept connection sends its next request to another process. actix does not do that by
            // itself (https://github.com/actix/actix-web/issues/3169, open).
            head.set_connection_type(ConnectionType::Close);
        }
        handling.iter().for_each(|handling| handling.answers(head));
        let route = route.unwrap_or(UNMATCHED);
        metrics.answered(method, route, head.status, began.elapsed(), traced.exemplar());
    };
    match answered {
        Ok(mut response) => {
            if let Some(rejection) = response.response().extensions().get::<Rejection>() {
                metrics.rejected.with_label_values(&[rejection.label()]).inc();
            }
            if let Some(size) = response.request().extensions().get::<BodySize>() {
                metrics.request_bytes.with_label_values(&[method]).observe(size.0 as f64);
            }
            if let ResponseSize::Sized(size) = response.response().body().size() {
                metrics.response_bytes.with_label_values(&[method]).observe(size as f64);
            }
            let route = early.or_else(|| response.request().match_pattern());
            finish(response.response_mut().head_mut(), route.as_deref());
            let (status, path) = (response.status().as_u16(), response.request().path());
            traced.answered(Answer { route, status, path, request_id });
            Ok(SharedBody::attach(body, response).await)
        }
        Err(mut response) => {
            finish(response.head_mut(), early.as_deref());
            let (status, path) = (response.status().as_u16(), ""); // after an error or a panic there is no request any more
            traced.answered(Answer { route: early, status, path, request_id });
            // The server sends it as it is.
            Err(InternalError::from_response("answered in the middleware", response).into())
        }
    }
}

/// The caller's request id, if it can be logged and sent back unchanged; else a new one.
fn request_id(request: &ServiceRequest) -> HeaderValue {
    let sent = request.headers().get(REQUEST_ID);
    let fits = |v: &&HeaderValue| (1..=128).contains(&v.len()) && v.as_bytes().iter().all(u8::is_ascii_graphic);
    sent.filter(fits)
        .cloned()
        .unwrap_or_else(|| HeaderValue::from_str(&Uuid::now_v7().to_string()).expect("a UUID is visible ASCII"))
}

/// Counts a request as in flight until it is dropped, also when the client disconnects and actix drops the handler.
struct InFlight<'m>(&'m HttpMetrics);

impl<'m> InFlight<'m> {
    fn new(metrics: &'m HttpMetrics) -> Self {
        metrics.in_flight.inc();
        Self(metrics)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.in_flight.dec();
    }
}

#[cfg(test)]
mod tests {
    use actix_web::{
        App, HttpResponse,
        middleware::from_fn,
        test::{TestRequest, init_service, try_call_service},
        web,
    };
    use metrics::Registry;

    use super::*;

    async fn ok() -> HttpResponse {
        HttpResponse::Ok().finish()
    }

    async fn refused() -> Result<HttpResponse, Problem> {
        Err(Problem::not_found("not here"))
    }

    async fn panics() -> HttpResponse {
        panic!("a mistake")
    }

    #[actix_web::test]
    async fn after_the_signal_every_answer_closes_its_connection_also_that_of_a_panic() {
        let (metrics, stopping) = (HttpMetrics::new(&Registry::new(), &[], false).unwrap(), CancellationToken::new());
        let routes = |app: &mut web::ServiceConfig| {
            app.route("/ok", web::get().to(ok)).route("/refused", web::get().to(refused));
            app.route("/panics", web::get().to(panics));
        };
        let app = App::new().app_data(Data::new(metrics)).app_data(Data::new(stopping.clone()));
        let app = app.app_data(Data::new(Stories::default()));
        let app = init_service(app.configure(routes).wrap(from_fn(observe))).await;
        for stops in [false, true] {
            for (path, status) in [("/ok", 200), ("/refused", 404), ("/nowhere", 404), ("/panics", 500)] {
                let answer = match try_call_service(&app, TestRequest::get().uri(path).to_request()).await {
                    Ok(answer) => HttpResponse::from(answer),
                    Err(error) => error.error_response(),
                };
                let closes = answer.head().connection_type() == ConnectionType::Close;
                assert_eq!((answer.status().as_u16(), closes), (status, stops), "{path}");
            }
            stopping.cancel();
        }
    }
}
