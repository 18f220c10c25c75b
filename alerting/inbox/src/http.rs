//! The URLs of the inbox: the page, the robot, Alertmanager's webhooks, and the API that tests read. Read next: `robot.rs`.

use std::{
    sync::{Mutex, MutexGuard},
    time::Instant,
};

use actix_web::{HttpRequest, HttpResponse, web};
use serde_json::json;
use service::html;
use webserver::{
    input::{BODY_DEADLINE, Json, NoQuery, is_json},
    problem::Problem,
    routes::{nowhere, resource},
};

use super::{
    linked, page,
    robot::{Query, Robot},
    store::{Channel, Store},
};
use alerts::{
    dingtalk::{METHOD, OK, PARAMETER, TOO_LONG},
    text,
    webhook::{Alert, NOTIFICATION_MAX, Status, Webhook},
};

/// A longer body is not read; it is far too long for a message.
const BODY_MAX: usize = 1024 * 1024;

/// What the handlers share.
struct Inbox {
    store: Mutex<Store>,
    robot: Mutex<Robot>,
}

impl Inbox {
    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().expect("nothing panics while it holds this")
    }
}

/// The URLs.
pub(super) fn configure(app: &mut web::ServiceConfig, robot: Robot) {
    let inbox = Inbox { store: Mutex::default(), robot: Mutex::new(robot) };
    app.app_data(web::Data::new(inbox))
        .service(resource("/").get(index).done())
        .service(web::resource("/robot/send").route(web::post().to(send)).default_service(web::to(not_by_post)))
        .service(resource("/watchdog").post(watchdog).done())
        .service(resource("/mail").post(mail).done())
        .service(resource("/api/messages").get(messages).done())
        .service(resource("/api/watchdog").get(watchdog_age).done())
        .service(resource("/runbooks").get(all_runbooks).done())
        .service(resource("/runbooks/{name}").get(runbook).done())
        .service(resource("/dashboards/d/{uid}").get(dashboard).done())
        .service(resource("/healthz").get(healthz).done())
        .service(resource("/readyz").get(healthz).done())
        .default_service(nowhere("the page is at /"));
}

async fn index(inbox: web::Data<Inbox>) -> HttpResponse {
    html::answer(page::inbox(&inbox.store()))
}

async fn all_runbooks() -> HttpResponse {
    html::answer(linked::runbooks())
}

async fn runbook(name: web::Path<String>) -> Result<HttpResponse, Problem> {
    linked::runbook(&name)
        .map(html::answer)
        .ok_or_else(|| Problem::not_found("there is no such runbook; /runbooks lists them"))
}

async fn dashboard(uid: web::Path<String>) -> Result<HttpResponse, Problem> {
    linked::dashboard(&uid).map(html::answer).ok_or_else(|| Problem::not_found("that is no uid of a dashboard"))
}

/// DingTalk's robot: it always answers HTTP 200.
async fn send(request: HttpRequest, body: web::Payload, inbox: web::Data<Inbox>) -> HttpResponse {
    let Ok(Ok(body)) = tokio::time::timeout(BODY_DEADLINE, body.to_bytes_limited(BODY_MAX)).await else {
        return answer(TOO_LONG, "message too long, exceed 20000 bytes");
    };
    let Ok(body) = body else { return answer(PARAMETER, "缺少参数 json") };
    let query = web::Query::<Query>::from_query(request.query_string()).map(web::Query::into_inner).unwrap_or_default();
    let is_json = is_json(&request);
    let accepted = inbox.robot.lock().expect("nothing panics while it holds this").accept(&query, is_json, &body);
    match accepted {
        Ok((title, text)) => {
            inbox.store().add(Channel::DingTalk, title, text);
            answer(OK, "ok")
        }
        Err((errcode, errmsg)) => {
            tracing::info!(errcode, "a message is refused: {errmsg}");
            answer(errcode, &errmsg)
        }
    }
}

async fn not_by_post() -> HttpResponse {
    answer(METHOD, "需要POST请求")
}

fn answer(errcode: i64, errmsg: &str) -> HttpResponse {
    HttpResponse::Ok().json(json!({ "errcode": errcode, "errmsg": errmsg }))
}

type Notification = Json<Webhook, NOTIFICATION_MAX>;

/// The dead-man's switch: only a firing Watchdog counts, and neither a resolved one nor another alert.
async fn watchdog(inbox: web::Data<Inbox>, Json(webhook): Notification) -> HttpResponse {
    if webhook.alerts.iter().any(|alert| alert.status == Status::Firing && alert.label("alertname") == "Watchdog") {
        inbox.store().watchdog = Some(Instant::now());
    }
    HttpResponse::Ok().finish()
}

/// A notification, shown as a mail.
async fn mail(inbox: web::Data<Inbox>, Json(webhook): Notification) -> HttpResponse {
    let alerts: Vec<&Alert> = webhook.alerts.iter().collect();
    let text = text::parts(&alerts).into_iter().map(|part| part.text).collect();
    inbox.store().add(Channel::Mail, text::title(&alerts), text);
    HttpResponse::Ok().finish()
}

async fn messages(inbox: web::Data<Inbox>, _: NoQuery) -> HttpResponse {
    HttpResponse::Ok().json(&inbox.store().messages)
}

async fn watchdog_age(inbox: web::Data<Inbox>, _: NoQuery) -> HttpResponse {
    let seconds = inbox.store().watchdog.map(|at| at.elapsed().as_secs_f64());
    HttpResponse::Ok().json(json!({ "last_heard_seconds": seconds }))
}

async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("alive\n")
}
