//! Query parameters that are wrong.

use super::{Case, To};

pub(super) fn cases() -> Vec<Case> {
    let long = format!("name={}", "x".repeat(201));
    let events = [
        ("colour=red", 400, "colour"),
        ("Name=a", 400, "Name"),
        ("name=a&name=b", 400, "name"),
        ("name=", 422, "name"),
        (long.as_str(), 422, "name"),
        ("name=%FF", 400, "query"),
        ("name=%", 400, "query"),
        ("name=%4", 400, "query"),
        ("location_id=x", 400, "location_id"),
        ("location_id=", 400, "location_id"),
        ("from=today", 400, "from"),
        ("from=", 400, "from"),
        ("from=2100-05-01T18:00:00+01:00", 400, "from"),
        ("to=2100-13-01T00:00:00Z", 400, "to"),
        ("to=4102444800", 400, "to"),
        ("from=2100-05-01T18:00:00Z&from=2100-05-01T18:00:00Z", 400, "from"),
    ];
    let pages = [
        ("limit=0", 422, "limit"),
        ("limit=101", 422, "limit"),
        ("limit=-1", 422, "limit"),
        ("limit=1.5", 400, "limit"),
        ("limit=ten", 400, "limit"),
        ("limit=", 400, "limit"),
        ("limit=99999999999999999999", 400, "limit"),
        ("limit=1&limit=1", 400, "limit"),
        ("after=", 400, "after"),
        ("after=x", 400, "after"),
        ("after=01936c4e-7d00-7000-8000-0000000000ab", 400, "after"),
        ("after=00000000000000000000000000000000000000000000000g", 400, "after"),
        ("page=2", 400, "page"),
    ];
    let mut cases = Vec::new();
    for (query, status, field) in events.iter().chain(&pages) {
        cases.push(Case::get("a list of events", To::Events, &format!("/events?{query}"), *status, field));
    }
    for (query, status, field) in pages {
        cases.push(Case::get("a list of locations", To::Events, &format!("/locations?{query}"), status, field));
        let bookings = format!("/events/{{event}}/bookings?{query}");
        cases.push(Case::get("a list of bookings", To::Bookings, &bookings, status, field));
    }
    for (to, path) in [
        (To::Events, "/events/{event}?x=1"),
        (To::Events, "/openapi.json?x=1"),
        (To::Bookings, "/events/{event}?x=1"),
        (To::Bookings, "/bookings/{event}?x"),
    ] {
        cases.push(Case::get("a parameter where there is none", to, path, 400, "x"));
    }
    let seats = r#"{"seats": 1}"#;
    cases.push(Case::post("booking with a parameter", To::Bookings, "/events/{event}/bookings?x=1", seats, 400, "x"));
    cases.push(
        Case::get("cancelling with a parameter", To::Bookings, "/bookings/{event}?x=1", 400, "x").method("DELETE"),
    );
    cases
}
