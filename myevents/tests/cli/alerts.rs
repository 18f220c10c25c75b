//! `myevents bridge` and `myevents inbox` as processes: an alert goes all the way, and what must be secret is in no log.

use std::net::TcpListener;

use serde_json::{Value, json};

use crate::{
    helpers::{Job, client, get},
    program::{Program, healthcheck},
};

const FREE: [(&str, &str); 2] = [("BRIDGE_ADDR", "127.0.0.1:0"), ("BRIDGE_OPS_ADDR", "127.0.0.1:0")];

fn notification(name: &str) -> Value {
    json!({ "version": "4", "externalURL": "http://127.0.0.1:9093", "alerts": [{
        "status": "firing", "labels": { "alertname": name, "severity": "critical" }, "annotations": { "summary": "it is bad" },
        "startsAt": "2026-11-30T02:00:00Z", "endsAt": "0001-01-01T00:00:00Z",
    }] })
}

async fn post(url: String, body: &Value) -> u16 {
    client().post(url).json(body).send().await.unwrap().status().as_u16()
}

#[tokio::test]
async fn an_alert_goes_by_the_bridge_to_the_page_of_the_inbox_and_a_mail_and_the_switch_stand_beside_it() {
    let inbox = Program::start(&["inbox", "--inbox-addr=127.0.0.1:0", "--inbox-secret=SECabc"], &[]).await;
    let page = inbox.at("page");
    let robot = format!("http://{page}/robot/send?access_token=dev");
    let variables = [FREE[0], FREE[1], ("DINGTALK_WEBHOOK_URL", robot.as_str()), ("DINGTALK_SECRET", "SECabc")];
    let bridge = Program::start(&["bridge"], &variables).await;

    assert_eq!(get(&format!("http://{page}/api/watchdog")).await.unwrap(), json!({ "last_heard_seconds": null }));
    assert_eq!(post(format!("http://{}/alertmanager", bridge.at("address")), &notification("Bad<b>")).await, 200);
    assert_eq!(post(format!("http://{page}/mail"), &notification("Mailed")).await, 200);
    assert_eq!(post(format!("http://{page}/watchdog"), &notification("Watchdog")).await, 200);

    let messages = get(&format!("http://{page}/api/messages")).await.unwrap();
    assert_eq!((&messages[0]["channel"], &messages[1]["channel"]), (&"mail".into(), &"dingtalk".into()), "{messages}");
    assert_eq!(messages[1]["title"], "[报警] firing: Bad‹b›");
    let heard = get(&format!("http://{page}/api/watchdog")).await.unwrap()["last_heard_seconds"].as_f64().unwrap();
    assert!((0.0..30.0).contains(&heard), "{heard}");
    let response = client().get(format!("http://{page}/")).send().await.unwrap();
    assert!(response.headers()["content-security-policy"].to_str().unwrap().starts_with("default-src 'none'"));
    let html = response.text().await.unwrap();
    for part in
        ["[报警] firing: Bad‹b›", "firing: Mailed", "last heard ", "For your own machine", "http-equiv=\"refresh\""]
    {
        assert!(html.contains(part), "{part}: {html}");
    }
    let runbooks = client().get(format!("http://{page}/runbooks")).send().await.unwrap();
    assert_eq!(runbooks.status(), 200);
    assert_eq!(client().get(format!("http://{page}/runbooks/Nothing")).send().await.unwrap().status(), 404);

    let ops = bridge.at("ops");
    assert_eq!(healthcheck("bridge", ("BRIDGE_OPS_ADDR", &ops)), (Some(0), String::new()));
    assert_eq!(healthcheck("inbox", ("INBOX_ADDR", &page)), (Some(0), String::new()));
    bridge.stop().await;
    inbox.stop().await;
    assert_eq!(healthcheck("bridge", ("BRIDGE_OPS_ADDR", &ops)).0, Some(1));
    assert!(healthcheck("bridges", ("INBOX_ADDR", &page)).1.contains("services, page, bridge or inbox"));
}

#[tokio::test]
async fn no_token_no_secret_and_no_signature_is_in_a_log_or_an_answer_whatever_goes_wrong() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let inbox = Program::start(&["inbox", "--inbox-addr=127.0.0.1:0"], &[]).await;
    let page = inbox.at("page");
    for robot in [nobody.to_string(), page.clone()] {
        let robot = format!("http://{robot}/robot/send?access_token=hunter2");
        let variables = [
            FREE[0],
            FREE[1],
            ("RUST_LOG", "trace"),
            ("DINGTALK_WEBHOOK_URL", robot.as_str()),
            ("DINGTALK_SECRET", "SEChunter3"),
        ];
        let bridge = Program::start(&["bridge"], &variables).await;
        let response = client().post(format!("http://{}/alertmanager", bridge.at("address")));
        let response = response.json(&notification("A")).send().await.unwrap();
        assert!([503, 422].contains(&response.status().as_u16()), "{}", response.status());
        let ready = client().get(format!("http://{}/readyz", bridge.at("ops"))).send().await.unwrap();
        let told = format!("{} {} {}", response.text().await.unwrap(), ready.text().await.unwrap(), bridge.logged());
        assert!(told.contains("has not arrived"), "{told}");
        assert!(!told.contains("hunter") && !told.contains("sign="), "{told}");
    }
}

#[test]
fn what_is_wrong_is_named_without_secrets() {
    let job = Job::run(["bridge", "--bridge-addr=x", "--dingtalk-webhook-url=http://hunter2/robot"]);
    assert_eq!(job.code, Some(1));
    assert!(job.err.contains("BRIDGE_ADDR") && job.err.contains("DINGTALK_WEBHOOK_URL"), "{}", job.err);
    assert!(!job.err.contains("hunter2"), "{}", job.err);
    let job = Job::run(["inbox", "--inbox-addr=8026", "--inbox-token=", "--inbox-secret=hunter2"]);
    assert_eq!(job.code, Some(1));
    for part in ["INBOX_ADDR", "INBOX_TOKEN (or --inbox-token)", "INBOX_SECRET (or --inbox-secret) must begin with SEC"]
    {
        assert!(job.err.contains(part), "{part}: {}", job.err);
    }
    assert!(!job.err.contains("hunter2"), "{}", job.err);
    let taken = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let _taken = TcpListener::bind(taken).unwrap();
    let job = Job::run(["inbox", &format!("--inbox-addr={taken}")]);
    assert!(job.err.contains("--inbox-addr or INBOX_ADDR"), "{}", job.err);
}
