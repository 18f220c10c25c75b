//! Notifications that arrive, and how they read.

use serde_json::json;

use super::{
    super::outcome::Outcome,
    world::{Plan, World, secret},
};
use alerts::dingtalk::MESSAGE_MAX;
use inbox::robot;
use testing::alertmanager::{alert, notification};

#[tokio::test]
async fn an_alert_arrives_with_the_keyword_and_is_counted_and_so_does_its_end() {
    let world = World::start(Plan::default());
    for result in Outcome::LABELS {
        assert_eq!(world.counted(result).await, 0, "{result} is there at zero from the start");
    }
    for status in ["firing", "resolved"] {
        let body = notification(vec![alert(status, "MyEventsOutboxStuck", "127.0.0.1:9101", "Messages wait")]);
        assert_eq!(world.post("/alertmanager", &body).await.status(), 200);
        let message = world.messages().await.remove(0);
        assert_eq!(message["channel"], "dingtalk");
        assert_eq!(message["title"], format!("[报警] {status}: MyEventsOutboxStuck (bookingservice)"));
        let text = message["text"].as_str().unwrap();
        for part in ["报警", "Messages wait", "severity: critical", "since: 2026-11-30", "[runbook](", "[dashboard]("]
        {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
    assert_eq!((world.counted("ok").await, world.messages().await.len()), (2, 2));
    let ready = world.get(&format!("http://{}/readyz", world.ops)).await;
    assert!(ready.contains("a message has arrived"), "{ready}");
}

#[tokio::test]
async fn a_signed_message_is_taken_by_a_robot_that_demands_a_signature() {
    let rules = robot::Rules { secret: secret("SECabc"), keyword: String::new(), ..robot::Rules::default() };
    let world = World::start(Plan { robot: rules, secret: "SECabc", ..Plan::default() });
    let body = notification(vec![alert("firing", "A", "1", "s")]);
    assert_eq!(world.post("/alertmanager", &body).await.status(), 200);
}

#[tokio::test]
async fn fifty_alerts_of_one_group_arrive_in_one_message_and_all_can_be_read() {
    let world = World::start(Plan::default());
    let all = (0..50).map(|n| alert("firing", "MyEventsTargetDown", &format!("host-{n:02}"), "It is away")).collect();
    assert_eq!(world.post("/alertmanager", &notification(all)).await.status(), 200);
    let messages = world.messages().await;
    let text = messages[0]["text"].as_str().unwrap();
    assert_eq!(messages.len(), 1);
    assert!((0..50).all(|n| text.contains(&format!("host-{n:02} · It is away · since"))), "{text}");
}

#[tokio::test]
async fn huge_annotations_are_shortened_and_what_is_left_out_is_counted() {
    let world = World::start(Plan::default());
    let alerts = (0..150).map(|n| alert("firing", &format!("A{n}"), "1", &"报警 \"x\" ".repeat(500))).collect();
    assert_eq!(world.post("/alertmanager", &notification(alerts)).await.status(), 200);
    let text = world.messages().await[0]["text"].as_str().unwrap().to_owned();
    let shown = text.matches("#### firing").count();
    assert!(shown > 10 && text.contains(&format!("and {} more: [Alertmanager]", 150 - shown)), "{shown}");
    assert!(text.len() < MESSAGE_MAX);
}

#[tokio::test]
async fn each_form_that_grafana_sends_arrives() {
    let world = World::start(Plan::default());
    let url = "dingtalk://dingtalkclient/page/link?pc_slide=false&url=http%3A%2F%2F127.0.0.1%3A3000%2Falerting%2Flist";
    let (title, text) = ("报警 [FIRING:1] Threads", "**Firing**\n\nValue: A=9");
    for body in [
        json!({ "msgtype": "link", "link": { "text": text, "title": title, "messageUrl": url, "picUrl": "" } }),
        json!({ "msgtype": "actionCard", "actionCard": { "text": text, "title": title, "hideAvatar": "0",
            "btnOrientation": "0", "singleTitle": "More", "singleURL": url } }),
        json!({ "msgtype": "markdown", "markdown": { "text": text, "title": title } }),
        json!({ "msgtype": "text", "text": { "content": format!("{title}\n{text}") } }),
    ] {
        assert_eq!(world.post("/grafana", &body).await.status(), 200, "{body}");
        let message = world.messages().await.remove(0);
        assert_eq!(message["title"], "[报警] (FIRING:1) Threads", "{body}");
        let shown = message["text"].as_str().unwrap();
        assert!(shown.contains("Value: A=9") && shown.contains("报警"), "{shown}");
        let has_button = body["msgtype"] == "link" || body["msgtype"] == "actionCard";
        assert_eq!(shown.contains(&format!("[More](<{url}>)")), has_button, "{shown}");
    }
    assert_eq!(world.counted("ok").await, 4);
}
