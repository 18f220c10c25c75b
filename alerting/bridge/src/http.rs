//! Where notifications come in. Each is answered only when its message has arrived or has failed.
//!
//! 200: it has arrived. 503 with `Retry-After`: not yet; Alertmanager tries again. 422: another try does not help, before an operator
//! changes what the log names. 400, 413, 415: the notification cannot be read.

use std::{pin::Pin, sync::Arc, time::Duration};

use actix_web::{FromRequest, HttpRequest, HttpResponse, ResponseError, dev::Payload, http::StatusCode, web};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::Instant,
};
use webserver::{
    input::Json,
    problem::{Problem, Rejection},
    routes::{nowhere, resource},
};

use super::{
    grafana,
    message::{Card, Notification},
    metrics::BridgeMetrics,
    outcome::Outcome,
    queue::Waiting,
};
use alerts::webhook::{NOTIFICATION_MAX, Webhook};

/// The most notifications that are read or wait at the same time; each may have a body of 2 MiB.
pub(super) const WAITING_MAX: usize = 64;

/// `Retry-After`, if the robot does not say how long to wait.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// What the handlers need.
#[derive(Clone)]
pub(super) struct Context {
    pub(super) queue: mpsc::Sender<Waiting>,
    pub(super) slots: Arc<Semaphore>,
    pub(super) metrics: BridgeMetrics,
}

/// The URLs.
pub(super) fn configure(app: &mut web::ServiceConfig, context: Context) {
    app.app_data(web::Data::new(context))
        .service(resource("/alertmanager").post(alertmanager).done())
        .service(resource("/grafana").post(grafana).done())
        .default_service(nowhere("there are POST /alertmanager and POST /grafana"));
}

type Body<T> = Result<Json<T, NOTIFICATION_MAX>, Problem>;

async fn alertmanager(slot: Slot, context: web::Data<Context>, body: Body<Webhook>) -> Result<HttpResponse, Problem> {
    context.pass_on(body.map(|Json(webhook)| Notification::Alerts(webhook)), slot).await
}

async fn grafana(slot: Slot, context: web::Data<Context>, body: Body<grafana::Body>) -> Result<HttpResponse, Problem> {
    let card = body.and_then(|Json(body)| Card::try_from(body));
    context.pass_on(card.map(Notification::Card), slot).await
}

impl Context {
    async fn pass_on(&self, read: Result<Notification, Problem>, _slot: Slot) -> Result<HttpResponse, Problem> {
        let notification = read.inspect_err(|problem| {
            let too_long = problem.status_code() == StatusCode::PAYLOAD_TOO_LARGE;
            self.metrics.count(if too_long { "too_long" } else { "error" });
            tracing::warn!("a notification was not understood: {problem}");
        })?;
        let (answer, answered) = oneshot::channel();
        let waiting = Waiting { notification, since: Instant::now(), answer };
        let _ = self.queue.send(waiting).await; // without a queue its `answer` is dropped, as that of what waits is
        let outcome = answered.await.map_err(|_| not_yet("the bridge is stopping", RETRY_AFTER))?;
        self.metrics.count(outcome.label());
        answered_with(&outcome)
    }
}

fn answered_with(outcome: &Outcome) -> Result<HttpResponse, Problem> {
    if outcome.failure.is_none() {
        return Ok(HttpResponse::Ok().content_type("text/plain").body("it has arrived\n"));
    }
    if outcome.worth_a_retry() {
        return Err(not_yet(&outcome.detail, outcome.wait.unwrap_or(RETRY_AFTER)));
    }
    let detail = format!("{}; {}", outcome.detail, outcome.advice());
    let title = "The robot refuses the message, and will refuse it again";
    Err(Problem::new(StatusCode::UNPROCESSABLE_ENTITY, "not-delivered", title, detail))
}

fn not_yet(detail: &str, wait: Duration) -> Problem {
    let title = "The message has not arrived yet";
    let seconds = wait.as_secs_f64().ceil() as u32;
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, "not-delivered-yet", title, detail).retry_after(seconds.max(1))
}

/// A slot among the notifications that are read or wait. It is the first argument of a handler, so that no body is read without one.
struct Slot {
    _permit: OwnedSemaphorePermit,
}

impl FromRequest for Slot {
    type Error = Problem;
    type Future = Pin<Box<dyn Future<Output = Result<Self, Problem>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let context = request.app_data::<web::Data<Context>>().expect("it is put there above");
        let slot = context.slots.clone().try_acquire_owned().map_err(|_| {
            not_yet("too many notifications wait for the robot", RETRY_AFTER).rejected(Rejection::Overload)
        });
        if slot.is_err() {
            context.metrics.count("busy");
        }
        Box::pin(std::future::ready(slot.map(|permit| Self { _permit: permit })))
    }
}
