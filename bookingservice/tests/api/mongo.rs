//! The service on a MongoDB server that is not there at first, comes, and goes: what its clients and its operator see.

use std::time::{Duration, Instant};

use metrics::Registry;
use mongo::{Mongo, address::MongoUrl, error::Deadline, metrics::ClientMetrics, table::Table};
use mongodb::bson::{Document, doc};
use process::checks::{Checks, option};
use testing::mongo_server;
use uuid::Uuid;

use crate::helpers::TestApp;

/// What is there only where the service stores in MongoDB.
const METRICS: [&str; 8] = [
    "myevents_mongodb_command_duration_seconds_bucket{command=\"findAndModify\",result=\"ok\"",
    "myevents_mongodb_command_duration_seconds_bucket{command=\"other\",result=\"error\"",
    "myevents_mongodb_pool_connections{state=\"in_use\"}",
    "myevents_mongodb_pool_wait_seconds_count",
    "myevents_mongodb_pool_checkout_failed_total{reason=\"connection_error\"}",
    "myevents_mongodb_pool_checkout_failed_total{reason=\"no_server\"}",
    "myevents_janitor_repairs_total{action=\"give_back\"} 0",
    "myevents_janitor_last_run_timestamp_seconds",
];

/// Waits until a page of the ops port is as it should be.
async fn shows(app: &TestApp, path: &str, deadline: Duration, right: impl Fn(u16, &str) -> bool) {
    let began = Instant::now();
    loop {
        let (status, text) = app.ops(path).await;
        if right(status, &text) {
            return;
        }
        assert!(began.elapsed() < deadline, "{path} is not right: {status}\n{text}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn becomes_ready(app: &TestApp) {
    shows(app, "/readyz", Duration::from_secs(5), |status, _| status == 200).await;
}

/// A booking's hold is pulled behind its answer.
async fn has_no_holds(app: &TestApp) {
    let none = ["\nmyevents_holds 0\n", "\nmyevents_holds_oldest_timestamp_seconds 0\n"];
    shows(app, "/metrics", Duration::from_secs(10), |_, metrics| none.iter().all(|line| metrics.contains(line))).await;
}

#[actix_web::test]
async fn without_its_database_the_service_says_so_and_it_serves_when_that_comes() {
    let Some(mut server) = mongo_server::own() else { return };
    server.stop();
    let url = Some(server.url("bookings"));
    let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(folder.path(), Some(url)).await;

    let (status, report) = app.ops("/readyz").await;
    assert_eq!((status, report.contains("no MongoDB server can be reached")), (503, true), "{report}");
    assert_eq!(app.ops("/livez").await.0, 200);
    let began = Instant::now();
    let (status, problem) = app.book(Uuid::now_v7(), 1).await;
    assert_eq!((status, &problem["type"].as_str().unwrap().ends_with("unavailable")), (503, &true), "{problem}");
    assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());

    for _ in 0..2 {
        server.start();
        becomes_ready(&app).await;
        let event = app.event(10).await;
        let (status, booking) = app.book(event, 2).await;
        assert_eq!(status, 201, "{booking}");
        let (status, stored) = app.get(&format!("/bookings/{}", booking["id"].as_str().unwrap())).await;
        assert_eq!((status, stored), (200, booking));
        let (_, metrics) = app.ops("/metrics").await;
        for name in METRICS {
            assert!(metrics.contains(name), "{name} is missing in\n{metrics}");
        }
        has_no_holds(&app).await;
        for name in ["myevents_store_commit", "myevents_data_free_bytes"] {
            assert!(!metrics.contains(name), "{name} is about a file, and there is none");
        }
        server.stop();
        assert_eq!(app.book(event, 1).await.0, 503);
    }
    let began = Instant::now();
    app.stop().await;
    assert!(began.elapsed() < Duration::from_secs(10), "it stops in time without its database, too");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "there is no file where a server is used");
}

#[actix_web::test]
async fn a_wrong_login_is_said_by_readyz_and_a_booking_is_refused_as_one_that_did_not_happen() {
    let Some(server) = mongo_server::shared() else { return };
    let url = Some(server.url("bookings").replace("mongodb://", "mongodb://nobody:hunter2@"));
    let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(folder.path(), Some(url)).await;
    let url = format!("{}/events/{}/bookings", app.url, Uuid::now_v7());
    // Some of those that come at once find that another one's connection could not be made.
    let book = || async {
        let (began, client) = (Instant::now(), reqwest::Client::new());
        let answer = client.post(&url).json(&serde_json::json!({ "seats": 1 })).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), &answer.headers()["retry-after"]), (503, &"1".parse().unwrap()));
        let problem: serde_json::Value = answer.json().await.unwrap();
        assert!(problem["booking_id"].is_null(), "{problem}");
        assert!(problem["detail"].as_str().unwrap().ends_with("nothing was changed"), "{problem}");
        assert!(began.elapsed() < Duration::from_secs(3), "{:?}", began.elapsed());
    };
    for _ in 0..3 {
        futures_util::future::join_all((0..8).map(|_| book())).await;
    }
    let (status, report) = app.ops("/readyz").await;
    assert_eq!((status, report.contains("the server refuses the login")), (503, true), "{report}");
    assert!(!report.contains("hunter2") && !report.contains("Kind:"), "{report}");
    app.stop().await;
}

#[actix_web::test]
async fn a_database_of_another_service_is_refused_by_readyz_and_bookings_are_503() {
    let Some(server) = mongo_server::shared() else { return };
    let name = format!("myevents-test-{}", Uuid::new_v4().simple());
    let url = Some(server.url(&name));
    let url = MongoUrl::read(&mut Checks::new(), option("MONGO_URL", &url), option("", &None)).unwrap();
    let mongo = Mongo::open(&url, "eventservice", ClientMetrics::new(&Registry::new()).unwrap()).await.unwrap();
    let owner = doc! { "_id": "owner", "service": "eventservice" };
    Table::<Document>::of(&mongo, "owner").insert(Deadline::new(), "test", owner).await.unwrap();

    let folder = tempfile::tempdir().unwrap();
    let app = TestApp::start_with(folder.path(), Some(url)).await;
    let (status, problem) = app.book(Uuid::now_v7(), 1).await;
    assert_eq!(
        (status, problem["detail"].as_str().unwrap().ends_with("nothing was changed")),
        (503, true),
        "{problem}"
    );
    shows(&app, "/readyz", Duration::from_secs(5), |status, report| {
        let words = format!("the database \\\"{name}\\\" belongs to the service \\\"eventservice\\\"");
        status == 503 && report.contains(&words)
    })
    .await;
    app.stop().await;
    let of_ours = Table::<Document>::of(&mongo, "leases").aggregate(Deadline::new(), vec![]).await.unwrap();
    assert_eq!(of_ours, []);
}
