//! Lists of events: pages, order and filters. Each test finds its own events by a name that no other has.

use e2e::{System, answer::text, samples};
use serde_json::{Value, json};

use crate::steps::{all_pages, ids};

/// Creates events that begin on these days of May 2100; gives their common name and their ids.
async fn on_days(system: &System, days: &[u32]) -> (String, Vec<String>) {
    let name = samples::unique("List").replace(' ', "-");
    let mut ids = Vec::new();
    for (at, day) in days.iter().enumerate() {
        let event = json!({
            "name": format!("{name}-{at}"),
            "start_date": format!("2100-05-{day:02}T18:00:00Z"), "end_date": format!("2100-05-{day:02}T22:00:00Z"),
        });
        ids.push(system.events.post("/events", &event).await.expect(201).id());
    }
    (name, ids)
}

#[tokio::test]
async fn pages_come_in_the_order_of_the_start_and_none_is_left_out_or_there_twice() {
    let system = System::start();
    let (name, created) = on_days(&system, &[5, 3, 9, 3, 3, 7, 1]).await;
    let mut alike = [created[1].clone(), created[3].clone(), created[4].clone()];
    alike.sort();
    let right = [&created[6], &alike[0], &alike[1], &alike[2], &created[0], &created[5], &created[2]];
    for limit in [1, 2, 3, 7, 100] {
        let found = all_pages(&system.events, &format!("/events?name={name}&limit={limit}")).await;
        assert_eq!(ids(&found).iter().collect::<Vec<_>>(), right, "in pages of {limit}");
    }
}

#[tokio::test]
async fn a_page_has_20_items_by_default_and_the_last_has_no_next() {
    let system = System::start();
    let (name, _) = on_days(&system, &[1; 23]).await;
    let first = system.events.get(&format!("/events?name={name}")).await.expect(200).json();
    assert_eq!(first["items"].as_array().unwrap().len(), 20);
    let after = text(&first, "next");
    let second = system.events.get(&format!("/events?name={name}&after={after}")).await.expect(200).json();
    assert_eq!(second["items"].as_array().unwrap().len(), 3);
    assert!(second.get("next").is_none(), "{second}");
    let exactly = system.events.get(&format!("/events?name={name}&limit=23")).await.expect(200).json();
    assert!(exactly.get("next").is_none(), "there is nothing behind a page that holds all");
}

#[tokio::test]
async fn an_empty_list_is_a_page_without_items() {
    let system = System::start();
    let page = system.events.get("/events?name=nobody-has-this-name").await.expect(200).json();
    assert_eq!(page, json!({"items": []}));
}

#[tokio::test]
async fn what_is_added_behind_a_position_is_seen() {
    let system = System::start();
    let (name, _) = on_days(&system, &[1, 2]).await;
    let first = system.events.get(&format!("/events?name={name}&limit=1")).await.expect(200).json();
    let late = json!({"name": format!("{name}-late"), "start_date": "2100-06-01T18:00:00Z", "end_date": "2100-06-01T22:00:00Z"});
    let late = system.events.post("/events", &late).await.expect(201).id();
    let path = format!("/events?name={name}&after={}", text(&first, "next"));
    let rest = system.events.get(&path).await.expect(200).json();
    assert_eq!(ids(rest["items"].as_array().unwrap()).last(), Some(&late));
}

#[tokio::test]
async fn a_name_is_found_by_its_beginning_in_any_case_also_beyond_ascii() {
    let system = System::start();
    let tail = samples::unique("").trim().replace(' ', "-");
    let name = format!("ÄRGER-Straße-{tail}");
    let id = system.events.post("/events", &samples::unlimited(&name)).await.expect(201).id();
    for query in [format!("%C3%84RGER-Stra%C3%9Fe-{tail}"), format!("%C3%A4rger-stra%C3%9Fe-{}", tail.to_uppercase())] {
        let page = system.events.get(&format!("/events?name={query}")).await.expect(200).json();
        assert_eq!(ids(page["items"].as_array().unwrap()), std::slice::from_ref(&id), "{query}");
    }
    let inside = system.events.get(&format!("/events?name={tail}")).await.expect(200).json();
    assert_eq!(inside["items"], json!([]), "only the beginning counts");
}

#[tokio::test]
async fn the_wildcards_of_a_database_are_letters_like_any_other() {
    let system = System::start();
    let tail = samples::unique("").trim().replace(' ', "-");
    system.events.post("/events", &samples::unlimited(&format!("abc{tail}"))).await.expect(201);
    let id = system.events.post("/events", &samples::unlimited(&format!("a%_{tail}"))).await.expect(201).id();
    let page = system.events.get(&format!("/events?name=a%25_{tail}")).await.expect(200).json();
    assert_eq!(ids(page["items"].as_array().unwrap()), [id]);
    for none in ["%25", "_", "*", "a*", "a?", "%5B"] {
        let page = system.events.get(&format!("/events?name={none}{tail}")).await.expect(200).json();
        assert_eq!(page["items"], json!([]), "{none}");
    }
}

#[tokio::test]
async fn from_is_included_and_to_is_not() {
    let system = System::start();
    let (name, created) = on_days(&system, &[1, 2, 3]).await;
    for (query, right) in [
        ("from=2100-05-02T18:00:00Z", &created[1..]),
        ("to=2100-05-02T18:00:00Z", &created[..1]),
        ("from=2100-05-02T18:00:00Z&to=2100-05-03T18:00:00Z", &created[1..2]),
        ("from=2100-05-02T18:00:00.001Z&to=2100-05-03T18:00:00.001Z", &created[2..]),
        ("from=2100-05-02T19:00:00%2B01:00&to=2100-05-02T19:00:00.001%2B01:00", &created[1..2]),
        ("from=2100-06-01T00:00:00Z", &[]),
    ] {
        let page: Value = system.events.get(&format!("/events?name={name}&{query}")).await.expect(200).json();
        assert_eq!(ids(page["items"].as_array().unwrap()), right, "{query}");
    }
}

#[tokio::test]
async fn events_are_found_by_their_location() {
    let system = System::start();
    let place = system.events.post("/locations", &samples::location(&samples::unique("Hall"))).await.expect(201).id();
    let mut body = samples::unlimited(&samples::unique("There"));
    body["location_id"] = json!(place);
    let there = system.events.post("/events", &body).await.expect(201).id();
    system.events.post("/events", &samples::unlimited(&samples::unique("Elsewhere"))).await.expect(201);
    let found = all_pages(&system.events, &format!("/events?location_id={place}")).await;
    assert_eq!(ids(&found), [there]);
    let none = all_pages(&system.events, &format!("/events?location_id={}", samples::NOBODY)).await;
    assert!(none.is_empty(), "{none:?}");
}
