//! The OpenAPI document states the limits that the code holds.

use contracts::Instant;
use eventservice::{
    domain::{CAPACITY_MAX, HALLS_MAX, NAME_MAX, TEXT_MAX},
    http::Api,
};
use serde_json::{Value, json};
use utoipa::OpenApi;
use webserver::page::{LIMIT_DEFAULT, LIMIT_MAX};

fn api() -> Value {
    serde_json::to_value(Api::openapi()).unwrap()
}

#[test]
fn the_openapi_document_states_the_limits_of_texts_and_numbers() {
    let schemas = &api()["components"]["schemas"];
    for (body, field, max) in [
        ("EventBody", "name", NAME_MAX),
        ("LocationBody", "name", NAME_MAX),
        ("LocationBody", "address", TEXT_MAX),
        ("LocationBody", "country", TEXT_MAX),
        ("HallBody", "name", NAME_MAX),
    ] {
        let field = &schemas[body]["properties"][field];
        assert_eq!((&field["minLength"], &field["maxLength"]), (&json!(1), &json!(max)), "{body} {field}");
        assert_eq!(field["pattern"], r"^[^\u0000-\u001f\u007f-\u009f]*$", "{body} {field}: no control characters");
        assert!(field["description"].as_str().unwrap().contains("visible character"), "{body} {field}");
    }
    for body in ["EventBody", "HallBody"] {
        let field = &schemas[body]["properties"]["capacity"];
        assert_eq!((&field["minimum"], &field["maximum"]), (&json!(1), &json!(CAPACITY_MAX)), "{body}");
    }
    assert_eq!(schemas["LocationBody"]["properties"]["halls"]["maxItems"], json!(HALLS_MAX));
}

#[test]
fn the_openapi_document_states_the_limits_of_pages() {
    for path in ["/events", "/locations"] {
        let api = api();
        let parameters = api["paths"][path]["get"]["parameters"].as_array().unwrap();
        let after = &parameters.iter().find(|parameter| parameter["name"] == "after").unwrap()["schema"];
        assert_eq!((&after["minLength"], &after["pattern"]), (&json!(1), &json!("^[0-9A-Fa-f]{48}$")), "{path}");
        let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
        assert_eq!((&limit["maximum"], &limit["default"]), (&json!(LIMIT_MAX), &json!(LIMIT_DEFAULT)), "{path}");
    }
}

#[test]
fn the_openapi_document_states_the_first_and_the_last_instant() {
    let [first, last] = ["0000-01-01T00:00:00Z", "9999-12-30T22:00:00Z"];
    let words = api()["info"]["description"].as_str().unwrap().to_owned();
    assert!(words.contains(&format!("from {first} to {last}")), "{words}");
    assert!([first, last].iter().all(|at| at.parse::<Instant>().is_ok()));
    assert!("9999-12-30T22:00:01Z".parse::<Instant>().is_err());
}
