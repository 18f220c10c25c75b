//! A panic in a handler is one log line, with the request id that the caller gets. A test binary of its own, since a process has one
//! panic hook and one log.

use actix_web::{App, HttpResponse, middleware::from_fn, test, web};
use metrics::Registry;
use process::panics::log_panics;
use testing::logs::Log;
use tokio_util::sync::CancellationToken;
use trace::Stories;
use webserver::{http_metrics::HttpMetrics, observe::observe};

async fn panics() -> HttpResponse {
    tokio::task::yield_now().await; // as a handler that has waited for its store
    panic!("a number that cannot be");
}

/// Catches its own panic, as the threads of a store do.
async fn mended() -> HttpResponse {
    let _ = std::panic::catch_unwind(|| panic!("a mistake further inside"));
    HttpResponse::Ok().finish()
}

#[tokio::test]
async fn a_panic_is_one_log_line_and_a_requests_has_the_id_of_its_answer() {
    let log = Log::default();
    tracing_subscriber::fmt().json().flatten_event(true).with_writer(log.writer()).init();
    log_panics();
    let metrics = web::Data::new(HttpMetrics::new(&Registry::new(), &[], false).unwrap());
    let routes = |app: &mut web::ServiceConfig| {
        app.route("/panics/{id}", web::get().to(panics)).route("/mended", web::get().to(mended));
    };
    let stopping = web::Data::new(CancellationToken::new());
    let stories = web::Data::new(Stories::default());
    let app = App::new().app_data(metrics).app_data(stopping).app_data(stories).configure(routes);
    let app = app.wrap(from_fn(observe));
    let app = test::init_service(app).await;

    let request = test::TestRequest::get().uri("/panics/7").insert_header(("x-request-id", "ask-me")).to_request();
    let error = test::try_call_service(&app, request).await.unwrap_err();
    assert_eq!(error.as_response_error().status_code(), 500);
    let logged = log.take_lines();
    assert_eq!(logged.len(), 1, "{logged:#?}");
    let line: serde_json::Value = serde_json::from_str(&logged[0]).unwrap();
    assert_eq!((&line["request_id"], &line["method"]), (&"ask-me".into(), &"GET".into()), "{line}");
    assert_eq!((&line["level"], &line["route"]), (&"ERROR".into(), &"/panics/{id}".into()), "{line}");
    let message = line["message"].as_str().unwrap();
    assert!(message.contains("a number that cannot be") && message.contains("panic_line.rs"), "{message}");

    let answer = test::call_service(&app, test::TestRequest::get().uri("/mended").to_request()).await;
    assert_eq!(answer.status(), 200);
    let logged = log.take_lines();
    assert!(logged.len() == 1 && logged[0].contains("a mistake further inside"), "{logged:#?}");

    std::thread::spawn(|| panic!("in a thread of its own")).join().unwrap_err();
    let logged = log.take_lines();
    assert!(logged.len() == 1 && logged[0].contains("in a thread of its own"), "{logged:#?}");
}
