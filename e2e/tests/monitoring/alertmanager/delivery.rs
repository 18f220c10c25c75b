//! A running Alertmanager: who is notified of what, how it reads, and what is muted.

use std::{collections::BTreeSet, time::Duration};

use e2e::{dashboard::list, eventually};
use serde_json::{Value, json};

use super::{
    programs::alertmanagers,
    running::{EXTERNAL, Running, name},
};

const SOON: Duration = Duration::from_secs(20);

/// An alert as Prometheus sends it. `labels` are like `alertname=A job=b`.
fn alert(labels: &str) -> Value {
    let pairs = labels.split(' ').map(|pair| pair.split_once('=').unwrap());
    let labels: serde_json::Map<_, _> = pairs.map(|(name, value)| (name.to_owned(), json!(value))).collect();
    let name = labels["alertname"].as_str().unwrap();
    json!({
        "labels": labels,
        "annotations": {
            "summary": format!("Summary of {name} <at> {}", labels.get("instance").unwrap_or(&Value::Null)),
            "description": "More than 5 % & \"less\" than it should be.",
            "runbook_url": format!("http://runbooks.example/runbooks/{name}"),
            "dashboard_url": "http://grafana.example/d/myevents-slo",
        },
        "generatorURL": "http://prometheus.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
    })
}

/// Names and instances in the messages at a path, each as often as it was delivered.
fn delivered(running: &Running, path: &str) -> Vec<String> {
    let messages = running.receivers.hooks(path);
    let alerts = messages.iter().flat_map(|message| list(&message["alerts"]));
    let mut names: Vec<_> = alerts.map(|alert| name(&alert["labels"])).collect();
    names.sort();
    names
}

/// The group of each mail.
fn mailed(running: &Running) -> BTreeSet<String> {
    let groups = running.receivers.mails().into_iter().map(|mail| mail.subject.split_once("] ").unwrap().1.to_owned());
    groups.collect()
}

fn set(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

#[tokio::test]
async fn a_group_is_one_mail_and_one_message_and_another_one_comes_when_it_is_over() {
    for program in alertmanagers() {
        let running = Running::start(&program);
        let labels = |instance| {
            format!("alertname=MyEventsAmqpDisconnected job=bookingservice instance={instance} severity=critical")
        };
        running.receives(json!([alert(&labels("one")), alert(&labels("two"))])).await;
        let arrived = async || {
            let (mails, hooks) = (running.receivers.mails(), running.receivers.hooks("/alertmanager"));
            (!mails.is_empty() && !hooks.is_empty()).then(|| (mails[0].clone(), hooks[0].clone()))
        };
        let (mail, hook) = eventually(SOON, "a mail and a message", arrived).await;

        assert_eq!(mail.subject, "[FIRING:2] MyEventsAmqpDisconnected bookingservice");
        let names = ["MyEventsAmqpDisconnected one", "MyEventsAmqpDisconnected two"];
        assert_eq!(list(&hook["alerts"]).map(|alert| name(&alert["labels"])).collect::<Vec<_>>(), names);
        assert_eq!(hook["externalURL"], EXTERNAL);
        for words in ["FIRING since 20", " UTC", "Summary of MyEventsAmqpDisconnected <at> \"two\"", "5 % & \"less\""] {
            assert!(mail.text.contains(words), "no {words:?} in {}", mail.text);
        }
        assert!(!mail.text.contains("no value") && !mail.html.contains("no value"), "{mail:?}");
        assert!(mail.html.contains("Summary of MyEventsAmqpDisconnected &lt;at&gt;"), "{}", mail.html);
        let overview = format!("{EXTERNAL}/#/alerts?receiver=both");
        let of_one = [
            "http://runbooks.example/runbooks/MyEventsAmqpDisconnected",
            "http://grafana.example/d/myevents-slo",
            "http://prometheus.example/graph?g0.expr=up+%3D%3D+0&g0.tab=1",
        ];
        assert_eq!(mail.links(), [&of_one[..], &of_one[..], &[&overview]].concat());
        for link in mail.links() {
            assert!(mail.text.contains(&link), "no {link} in {}", mail.text);
        }

        let mut over = [alert(&labels("one")), alert(&labels("two"))];
        for alert in &mut over {
            alert["endsAt"] = json!("2020-01-01T00:00:01Z");
            alert["startsAt"] = json!("2020-01-01T00:00:00Z");
        }
        running.receives(json!(over)).await;
        let resolved = "[RESOLVED] MyEventsAmqpDisconnected bookingservice";
        let arrived = async || running.receivers.mails().into_iter().find(|mail| mail.subject == resolved);
        let mail = eventually(SOON, "a mail that it is over", arrived).await;
        assert!(mail.text.contains("RESOLVED, from 20"), "{}", mail.text);
        let resolved = async || {
            let hooks = running.receivers.hooks("/alertmanager");
            hooks.iter().any(|hook| hook["status"] == "resolved").then_some(())
        };
        eventually(SOON, "a message that it is over", resolved).await;
    }
}

#[tokio::test]
async fn a_page_goes_to_both_a_ticket_to_dingtalk_and_an_information_to_nobody() {
    for program in alertmanagers() {
        let running = Running::start(&program);
        running
            .receives(json!([
                alert("alertname=Page severity=critical"),
                alert("alertname=Threads severity=warning channel=both"),
                alert("alertname=Ticket severity=warning"),
                alert("alertname=Information severity=info"),
                alert("alertname=Watchdog severity=none"),
            ]))
            .await;
        let all = async || {
            let there = delivered(&running, "/alertmanager") == ["Page", "Threads", "Ticket"];
            (there && mailed(&running).len() == 2).then_some(())
        };
        eventually(SOON, "all of it", all).await;
        assert_eq!(mailed(&running), set(&["Page", "Threads"]));
        // The dead-man's switch gets it again and again, and nobody else does.
        let often = async || (delivered(&running, "/watchdog").len() >= 4).then_some(());
        eventually(SOON, "the Watchdog again and again", often).await;
        assert!(delivered(&running, "/watchdog").iter().all(|name| name == "Watchdog"));
        assert_eq!(delivered(&running, "/alertmanager"), ["Page", "Threads", "Ticket"]);
    }
}

/// With `equal: [job]` in the first rule, the dead replica would mute the page; and a warning mutes no page of its own instance.
#[tokio::test]
async fn five_percent_errors_while_one_of_two_replicas_is_dead_are_a_page_all_the_same() {
    for program in alertmanagers() {
        let running = Running::start(&program);
        running
            .receives(json!([
                alert("alertname=MyEventsTargetDown job=bookingservice instance=one severity=warning"),
                alert(
                    "alertname=MyEventsHighThreadCount job=bookingservice instance=one severity=warning channel=both"
                ),
                alert(
                    "alertname=MyEventsHighThreadCount job=bookingservice instance=two severity=warning channel=both"
                ),
                alert("alertname=MyEventsHighThreadCount job=eventservice instance=one severity=warning channel=both"),
                alert("alertname=MyEventsErrorBudgetBurn job=bookingservice severity=critical"),
                alert("alertname=MyEventsOutboxStuck job=bookingservice severity=critical"),
                alert("alertname=MyEventsAmqpDisconnected job=bookingservice instance=one severity=critical"),
            ]))
            .await;
        let right = [
            "MyEventsAmqpDisconnected one",
            "MyEventsErrorBudgetBurn",
            "MyEventsHighThreadCount one",
            "MyEventsHighThreadCount two",
            "MyEventsOutboxStuck",
            "MyEventsTargetDown one",
        ];
        let mails = [
            "MyEventsAmqpDisconnected bookingservice",
            "MyEventsErrorBudgetBurn bookingservice",
            "MyEventsHighThreadCount bookingservice",
            "MyEventsHighThreadCount eventservice",
            "MyEventsOutboxStuck bookingservice",
        ];
        let all = async || (delivered(&running, "/alertmanager") == right && mailed(&running).len() == 5).then_some(());
        eventually(SOON, "the page, the other instances and the other job", all).await;
        assert_eq!(mailed(&running), set(&mails));
        assert_eq!(running.muted().await, ["MyEventsHighThreadCount one"]);
    }
}

#[tokio::test]
async fn where_all_instances_are_down_only_the_warnings_of_their_job_are_muted() {
    for program in alertmanagers() {
        let running = Running::start(&program);
        running
            .receives(json!([
                alert("alertname=MyEventsJobDown job=bookingservice severity=critical"),
                alert("alertname=MyEventsTargetDown job=bookingservice instance=one severity=warning"),
                alert("alertname=MyEventsRestarting job=bookingservice instance=one severity=warning"),
                alert("alertname=MyEventsErrorBudgetBurn job=bookingservice severity=critical"),
                alert("alertname=MyEventsOutboxStuck job=bookingservice severity=critical"),
                alert("alertname=MyEventsHighMemory job=eventservice instance=two severity=warning"),
            ]))
            .await;
        let right = ["MyEventsErrorBudgetBurn", "MyEventsHighMemory two", "MyEventsJobDown", "MyEventsOutboxStuck"];
        let all = async || (delivered(&running, "/alertmanager") == right && mailed(&running).len() == 3).then_some(());
        eventually(SOON, "the pages, and the other job", all).await;
        assert_eq!(running.muted().await, ["MyEventsRestarting one", "MyEventsTargetDown one"]);
    }
}

/// Without the bridge: `templates/dingtalk.tmpl` says how. Alertmanager 0.25 knows no `payload`.
#[tokio::test]
async fn todays_alertmanager_can_write_to_a_robot_by_itself() {
    let payload = r#"
      - url: http://bridge:8060/robot
        payload:
          msgtype: markdown
          markdown: { title: '{{ template "dingtalk.title" . }}', text: '{{ template "dingtalk.text" . }}' }"#;
    for program in alertmanagers().into_iter().filter(|program| program.is_absolute()) {
        let running = Running::with(&program, |text| {
            let hook = text.lines().find(|line| line.contains("/alertmanager\"")).unwrap();
            let bridge = hook.split("http://").nth(1).unwrap().split('/').next().unwrap();
            text.replace(hook, payload.trim_start_matches('\n').replace("bridge:8060", bridge).as_str())
        });
        let labels = "alertname=MyEventsDeadLetters job=eventservice severity=warning";
        running.receives(json!([alert(labels)])).await;
        let arrived = async || running.receivers.hooks("/robot").first().cloned();
        let message = eventually(SOON, "a message of the robot's form", arrived).await;
        assert_eq!(message["msgtype"], "markdown");
        let markdown = &message["markdown"];
        assert_eq!(markdown["title"], "报警 FIRING:1 MyEventsDeadLetters eventservice");
        let text = markdown["text"].as_str().unwrap();
        for words in
            ["报警", "Summary of MyEventsDeadLetters", "(http://runbooks.example/runbooks/MyEventsDeadLetters)"]
        {
            assert!(text.contains(words), "no {words} in {text}");
        }
        assert!(!text.contains("no value"), "{text}");
    }
}
