//! Ids that are none, URLs that are nowhere, methods that are not possible.

use super::{Case, To};

const ID: &str = "01936c4e-7d00-7000-8000-0000000000ab";

pub(super) fn cases() -> Vec<Case> {
    let routes = [
        (To::Events, "/events/#"),
        (To::Events, "/locations/#"),
        (To::Bookings, "/events/#"),
        (To::Bookings, "/events/#/bookings"),
        (To::Bookings, "/bookings/#"),
    ];
    let mut cases = Vec::new();
    for (to, route) in routes {
        for id in ["x", "1", "01936c4e7d00700080000000000000ab", "%00", "%ff", "%zz", "..%2f..", "%F0%9F%8E%B7"] {
            cases.push(Case::get("an id that is none", to, &route.replace('#', id), 400, "id"));
        }
        for id in [format!("{{{ID}}}"), format!("urn:uuid:{ID}"), format!("{ID}0"), "a".repeat(3000)] {
            cases.push(Case::get("an id of another form", to, &route.replace('#', &id), 400, "id"));
        }
    }
    let seats = r#"{"seats": 1}"#;
    cases.push(Case::post("booking an id that is none", To::Bookings, "/events/x/bookings", seats, 400, "id"));
    cases.push(Case::get("cancelling an id that is none", To::Bookings, "/bookings/x", 400, "id").method("DELETE"));
    for path in ["/nowhere", "/EVENTS", "/events/", "/event", "/locations/", "/docs/no/such", "/%2e%2e/", "/events%00"]
    {
        cases.push(Case::get("nowhere", To::Events, path, 404, ""));
    }
    for path in ["/bookings", "/bookings/", "/events", "/locations", "/events/x/bookings/", "/events//bookings"] {
        cases.push(Case::get("nowhere", To::Bookings, path, 404, ""));
    }
    let methods = [
        (To::Events, "/events", "DELETE"),
        (To::Events, "/events/{event}", "POST"),
        (To::Events, "/events/{event}", "DELETE"),
        (To::Events, "/locations", "PUT"),
        (To::Events, "/locations/x", "PATCH"),
        (To::Bookings, "/events/{event}", "DELETE"),
        (To::Bookings, "/events/{event}/bookings", "DELETE"),
        (To::Bookings, "/bookings/x", "POST"),
        (To::Bookings, "/bookings/x", "BREW"),
        (To::Bookings, "/openapi.json", "POST"),
        (To::Bookings, "/docs", "TRACE"),
    ];
    for (to, path, method) in methods {
        cases.push(Case::get("a method that is not possible", to, path, 405, "").method(method));
    }
    cases
}
