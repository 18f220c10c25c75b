//! A message that a service gave up on is seen wherever one looks, and comes back once when it is redriven.

use std::path::Path;

use rusqlite::Connection;
use serde_json::Value;

use crate::helpers::{DEADLINE, Job, MyEvents, book, client, create_event, eventually, get, new_folder, view_shows};

fn dead(what: &[&str], place: &[String]) -> Job {
    Job::run(["dead"].iter().chain(what).map(|text| (*text).to_owned()).chain(place.iter().cloned()))
}

fn list(place: &[String]) -> Vec<Value> {
    serde_json::from_str(&dead(&["list", "--json"], place).well()).unwrap()
}

fn in_folder(folder: &Path) -> Vec<String> {
    vec!["--data-dir".into(), folder.to_str().unwrap().into()]
}

/// Waits until there are so many dead letters.
async fn listed(place: &[String], count: usize) -> Vec<Value> {
    eventually(DEADLINE, "dead letters", async || Some(list(place)).filter(|letters| letters.len() == count)).await
}

async fn metric(run: &MyEvents, series: &str) -> String {
    let text = client().get(format!("http://{}/metrics", run.ports()[3])).send().await.unwrap().text().await.unwrap();
    let line =
        text.lines().find_map(|line| line.strip_prefix(series)).unwrap_or_else(|| panic!("no {series} in {text}"));
    line.trim().to_owned()
}

const UNKNOWN: &str = "0199c0de-0000-7000-8000-000000000007";

/// A folder whose booking service has a message about an event that nobody knows.
async fn poisoned(folder: &Path) {
    MyEvents::start(folder, &["--empty"]).await.stop().await;
    let body = format!(r#"{{"event_id":"{UNKNOWN}","booked_seats":1,"version":1}}"#);
    let sql =
        "INSERT INTO outbox (id, name, mandatory, body, occurred_at) VALUES (randomblob(16), 'seatsChanged', 1, ?, 0)";
    Connection::open(folder.join("bookingservice.db")).unwrap().execute(sql, [body.as_bytes()]).unwrap();
}

#[tokio::test]
async fn a_dead_letter_is_seen_wherever_one_looks() {
    let (_place, folder) = new_folder();
    poisoned(&folder).await;
    let run = MyEvents::start(&folder, &["--empty"]).await;

    let letters = listed(&run.ops_options(), 1).await;

    assert_eq!((&letters[0]["publisher"], &letters[0]["queue"]), (&"bookingservice".into(), &"eventservice".into()));
    assert!(letters[0]["cause"].as_str().unwrap().contains(UNKNOWN), "{letters:?}");
    assert!(letters[0]["body"].as_str().unwrap().contains(UNKNOWN), "{letters:?}");
    let table = dead(&["list"], &run.ops_options()).well();
    for part in [letters[0]["id"].as_str().unwrap(), "eventservice", "seatsChanged", UNKNOWN] {
        assert!(table.contains(part), "no {part} in\n{table}");
    }
    let shown = get(&format!("http://{}/dead", run.ports()[3])).await.unwrap();
    assert_eq!(shown["items"][0]["id"], letters[0]["id"]);
    assert_eq!(metric(&run, r#"myevents_dead_letters{queue="eventservice"}"#).await, "1");

    run.stop().await;
    assert_eq!(list(&in_folder(&folder)), letters, "the same, of the stopped folder");
}

#[tokio::test]
async fn a_redriven_message_is_tried_once_more_and_dies_again_where_the_cause_is_not_mended() {
    let (_place, folder) = new_folder();
    poisoned(&folder).await;
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let letters = listed(&run.ops_options(), 1).await;
    let rejected = r#"myevents_messages_consumed_total{message="seatsChanged",queue="eventservice",result="rejected"}"#;
    let events = |run: &MyEvents| format!("http://{}/metrics", run.ports()[2]);
    let count = async || {
        let text = client().get(events(&run)).send().await.unwrap().text().await.unwrap();
        text.lines().find_map(|line| line.strip_prefix(rejected)).map(|count| count.trim().to_owned())
    };
    assert_eq!(count().await.as_deref(), Some("1"));

    let said = dead(&["redrive", "--id", letters[0]["id"].as_str().unwrap()], &run.ops_options()).well();

    assert!(said.contains("1 message goes to the queue again"), "{said}");
    eventually(DEADLINE, "the second try", async || count().await.filter(|count| count == "2")).await;
    assert_eq!(listed(&run.ops_options(), 1).await[0]["id"], letters[0]["id"]);
    assert_eq!(count().await.as_deref(), Some("2"), "once, and not for ever");
    run.stop().await;
}

#[tokio::test]
async fn an_id_that_is_no_dead_letter_is_refused_and_all_needs_none() {
    let (_place, folder) = new_folder();
    let run = MyEvents::start(&folder, &["--empty"]).await;
    let place = run.ops_options();
    let unknown = dead(&["redrive", "--id", UNKNOWN], &place);
    assert_eq!((unknown.code, unknown.err.contains("there is no dead letter")), (Some(1), true), "{}", unknown.err);
    assert_eq!(dead(&["redrive", "--id", "seven"], &place).code, Some(1));
    assert_eq!(dead(&["redrive"], &place).code, Some(2), "nobody sends all by leaving out the id");
    assert!(dead(&["redrive", "--all"], &place).well().contains("0 messages"));
    assert!(dead(&["list"], &place).well().contains("no dead letters"));
    for what in [&["list"][..], &["redrive", "--all"]] {
        let refused = dead(what, &in_folder(&folder));
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("leave out --data-dir"), "{}", refused.err);
    }
    run.stop().await;
}

#[tokio::test]
async fn a_dead_letter_of_a_stopped_folder_does_its_work_once_the_cause_is_mended() {
    let (_place, folder) = new_folder();
    let first = MyEvents::start(&folder, &["--empty"]).await;
    let event = create_event(&first, "Lost and found", (24, 48), 10).await;
    book(&first, &event, 1).await;
    view_shows(&first, &event, 1).await;
    first.stop().await;

    // The event service loses the event, so it cannot take what it hears of it.
    let shown = Connection::open(folder.join("eventservice.db")).unwrap();
    shown.execute_batch("CREATE TABLE aside AS SELECT * FROM events; DELETE FROM events").unwrap();
    let second = MyEvents::start(&folder, &["--empty"]).await;
    book(&second, &event, 2).await;
    listed(&second.ops_options(), 1).await;
    second.stop().await;

    shown.execute_batch("INSERT INTO events SELECT * FROM aside; DROP TABLE aside").unwrap();
    drop(shown);
    let said = dead(&["redrive", "--all"], &in_folder(&folder)).well();
    assert!(said.contains("1 message goes to the queue again, when the system starts"), "{said}");
    assert_eq!(list(&in_folder(&folder)), Vec::<Value>::new());

    let third = MyEvents::start(&folder, &["--empty"]).await;
    view_shows(&third, &event, 3).await;
    third.stop().await;
    Job::run(["verify".to_owned()].into_iter().chain(in_folder(&folder))).well();
}
