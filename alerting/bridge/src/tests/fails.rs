//! Notifications that do not arrive, and their answers: 422 if another try does not help, 503 if it can, 400 if the notification
//! cannot be read.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::world::{Plan, World, client, retry_after, secret};
use inbox::robot;
use testing::alertmanager::{alert, notification};

fn one() -> Value {
    notification(vec![alert("firing", "A", "1", "s")])
}

async fn is_refused(world: &World, result: &str, advice: &str) {
    let response = world.post("/alertmanager", &one()).await;
    assert_eq!(response.status(), 422);
    let answer = response.text().await.unwrap();
    assert!(answer.contains(advice), "{answer}");
    assert_eq!((world.counted(result).await, world.counted("ok").await), (1, 0));
    assert_eq!(world.messages().await.len(), 0);
    let ready = world.get(&format!("http://{}/readyz", world.ops)).await;
    assert!(ready.contains("\"ready\":true") && ready.contains("has not arrived"), "{ready}");
}

#[tokio::test]
async fn a_robot_with_another_keyword_refuses_for_good() {
    let rules = robot::Rules { keyword: "告警".into(), ..robot::Rules::default() };
    is_refused(&World::start(Plan { robot: rules, ..Plan::default() }), "keyword", "keywords not in content").await;
}

#[tokio::test]
async fn a_wrong_signature_and_none_are_refused_for_good() {
    for wrong in ["SECother", ""] {
        let rules = robot::Rules { secret: secret("SECabc"), ..robot::Rules::default() };
        let plan = Plan { robot: rules, secret: wrong, ..Plan::default() };
        is_refused(&World::start(plan), "signature", "DINGTALK_SECRET").await;
    }
}

#[tokio::test]
async fn an_unknown_token_is_refused_for_good() {
    is_refused(&World::start(Plan { token: "hunter2", ..Plan::default() }), "token", "DINGTALK_WEBHOOK_URL").await;
}

#[tokio::test]
async fn a_robot_that_is_away_is_a_503_that_says_when_to_try_again() {
    let nobody = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap();
    let world = World::start(Plan { elsewhere: Some(nobody), ..Plan::default() });
    let response = world.post("/alertmanager", &one()).await;
    assert_eq!((response.status().as_u16(), retry_after(&response)), (503, 10));
    assert_eq!(world.counted("network").await, 1);
}

#[tokio::test]
async fn a_robot_that_hangs_is_a_503_for_each_and_holds_up_nobody_for_long() {
    let silent = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let (elsewhere, timeout) = (Some(silent.local_addr().unwrap()), Duration::from_millis(1500));
    let world = World::start(Plan { elsewhere, timeout, ..Plan::default() });
    let (began, body) = (Instant::now(), one());
    let all = (0..12).map(|_| world.post("/alertmanager", &body));
    for response in futures_util::future::join_all(all).await {
        assert_eq!(response.status(), 503);
    }
    // One alone, one more while the others are still new, then all the others together.
    assert!(began.elapsed() < 6 * timeout, "{:?}", began.elapsed());
    assert_eq!(world.counted("timeout").await, 12);
}

#[tokio::test]
async fn a_robot_that_says_too_fast_is_left_alone_for_a_while() {
    let world = World::start(Plan::default());
    let robot = format!("http://{}/robot/send?access_token=dev", world.inbox);
    let mut last = Value::Null;
    for _ in 0..21 {
        let post = client().post(&robot).json(&json!({ "msgtype": "text", "text": { "content": "报警" } }));
        last = post.send().await.unwrap().json().await.unwrap();
    }
    assert_eq!(last["errcode"], 130_101, "somebody else has used it up");
    for _ in 0..3 {
        let response = world.post("/alertmanager", &one()).await;
        assert_eq!(response.status(), 503);
        assert!((50..=60).contains(&retry_after(&response)), "{}", retry_after(&response));
    }
    assert_eq!(world.counted("rate").await, 3);
}

#[tokio::test]
async fn what_is_not_understood_is_a_400_that_names_the_field_and_is_counted() {
    let world = World::start(Plan::default());
    let mut wrong = one();
    wrong["alerts"][0]["labels"] = json!(["x"]);
    let mut no_status = one();
    no_status["alerts"][0].as_object_mut().unwrap().remove("status");
    let mut old = one();
    old["version"] = "3".into();
    for (path, body, field) in [
        ("/alertmanager", "{\"version\": ".to_owned(), "version"),
        ("/alertmanager", "{}".to_owned(), "version"),
        ("/alertmanager", wrong.to_string(), "alerts[0].labels"),
        ("/alertmanager", no_status.to_string(), "alerts[0].status"),
        ("/alertmanager", old.to_string(), "version"),
        ("/alertmanager", notification(Vec::new()).to_string(), "alerts"),
        ("/grafana", "[]".to_owned(), "body"),
        ("/grafana", "{}".to_owned(), "msgtype"),
        ("/grafana", json!({ "msgtype": "feedCard" }).to_string(), "msgtype"),
        ("/grafana", json!({ "msgtype": "link" }).to_string(), "link"),
        ("/grafana", json!({ "msgtype": "link", "link": { "title": 1 } }).to_string(), "link.title"),
    ] {
        let response = world.post_text(path, body.clone()).await;
        assert_eq!(response.status(), 400, "{body}");
        let problem: Value = response.json().await.unwrap();
        assert_eq!(problem["errors"][0]["field"], field, "{body}: {problem}");
    }
    assert_eq!((world.counted("error").await, world.messages().await.len()), (11, 0));
}

#[tokio::test]
async fn a_body_beyond_all_bounds_is_refused_and_counted_as_too_long() {
    let world = World::start(Plan::default());
    let response = world.post_text("/alertmanager", " ".repeat(3 * 1024 * 1024)).await;
    assert_eq!(response.status(), 413);
    assert_eq!(world.counted("too_long").await, 1);
}

#[tokio::test]
async fn other_urls_and_methods_say_what_there_is() {
    let world = World::start(Plan::default());
    let get = client().get(format!("http://{}/alertmanager", world.bridge)).send().await.unwrap();
    assert_eq!((get.status().as_u16(), &get.headers()["allow"]), (405, &"POST".parse().unwrap()));
    let nowhere = world.get(&format!("http://{}/dead", world.ops)).await;
    assert!(nowhere.contains("/ lists what there is"), "{nowhere}");
}

#[tokio::test]
async fn a_web_page_of_another_site_sends_nothing_to_bridge_or_inbox() {
    let world = World::start(Plan::default());
    for url in [
        format!("http://{}/alertmanager", world.bridge),
        format!("http://{}/robot/send?access_token=dev", world.inbox),
        format!("http://{}/watchdog", world.inbox),
        format!("http://{}/mail", world.inbox),
    ] {
        let post = client().post(&url).header("origin", "http://evil.example").body("{}");
        assert_eq!(post.send().await.unwrap().status(), 403, "{url}");
    }
    assert!(world.messages().await.is_empty());
}
