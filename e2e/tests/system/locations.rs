//! Locations: creating, looking at, listing them.

use e2e::{System, samples};
use serde_json::json;

use crate::steps::{all_pages, ids};

#[tokio::test]
async fn a_location_is_answered_as_it_was_sent_with_its_place() {
    let system = System::start();
    let mut whole = samples::location(&samples::unique("Harpa"));
    let created = system.events.post("/locations", &whole).await.expect(201);
    let id = created.id();
    assert_eq!(created.header("location"), Some(format!("/locations/{id}").as_str()));
    whole["id"] = json!(id);
    assert_eq!(created.json(), whole);
    assert_eq!(system.events.get(&format!("/locations/{id}")).await.expect(200).json(), whole);
}

#[tokio::test]
async fn a_location_may_close_past_midnight_or_keep_its_hours_to_itself() {
    let system = System::start();
    let mut body = samples::location(&samples::unique("Club"));
    for (open, close) in [("22:00", "06:00"), ("09:00", "17:30"), ("00:00", "23:59")] {
        (body["open_time"], body["close_time"]) = (json!(open), json!(close));
        let made = system.events.post("/locations", &body).await.expect(201).json();
        assert_eq!((&made["open_time"], &made["close_time"]), (&json!(open), &json!(close)));
    }
    let hours = body.as_object_mut().unwrap();
    hours.remove("open_time");
    hours.remove("close_time");
    let made = system.events.post("/locations", &body).await.expect(201).json();
    assert!(made.get("open_time").is_none() && made.get("close_time").is_none(), "{made}");
}

#[tokio::test]
async fn a_location_has_at_most_100_halls() {
    let system = System::start();
    let mut body = samples::location(&samples::unique("Fair"));
    let halls = |count| (1..=count).map(|n| json!({"name": format!("Hall {n}"), "capacity": n})).collect::<Vec<_>>();
    body["halls"] = json!(halls(100));
    let made = system.events.post("/locations", &body).await.expect(201).json();
    assert_eq!(made["halls"], body["halls"], "in the order they were sent");
    body["halls"] = json!(halls(101));
    let answer = system.events.post("/locations", &body).await;
    answer.problem(422, "invalid-value");
    assert_eq!(answer.fields(), ["halls"]);
}

#[tokio::test]
async fn a_mistake_in_a_hall_is_named_with_the_halls_number() {
    let system = System::start();
    let mut body = samples::location(&samples::unique("Halls"));
    body["halls"] = json!([{"name": "A", "capacity": 1}, {"name": "", "capacity": 1}]);
    let answer = system.events.post("/locations", &body).await;
    answer.problem(422, "invalid-value");
    assert_eq!(answer.fields(), ["halls[1].name"]);
}

#[tokio::test]
async fn locations_are_listed_in_pages_each_once() {
    let system = System::start();
    let mut created = Vec::new();
    for n in 0..5 {
        let body = samples::location(&samples::unique(&format!("Place {n}")));
        created.push(system.events.post("/locations", &body).await.expect(201).id());
    }
    for limit in [1, 2, 100] {
        let mut found = ids(&all_pages(&system.events, &format!("/locations?limit={limit}")).await);
        found.retain(|id| created.contains(id));
        found.sort();
        let mut right = created.clone();
        right.sort();
        assert_eq!(found, right, "in pages of {limit}");
    }
}

#[tokio::test]
async fn an_unknown_location_is_a_404() {
    let system = System::start();
    system.events.get(&format!("/locations/{}", samples::NOBODY)).await.problem(404, "not-found");
}
