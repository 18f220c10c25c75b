//! The OpenAPI document states the limits that the code holds.

use bookingservice::{
    domain::{KEY_MAX, SEATS_MAX, USER_ID_MAX},
    http::Api,
};
use serde_json::json;
use utoipa::OpenApi;
use webserver::page::{LIMIT_DEFAULT, LIMIT_MAX};

#[test]
fn the_openapi_document_states_the_limits_that_the_code_holds() {
    let api = serde_json::to_value(Api::openapi()).unwrap();
    let body = &api["components"]["schemas"]["BookingBody"]["properties"];
    assert_eq!((&body["seats"]["minimum"], &body["seats"]["maximum"]), (&json!(1), &json!(SEATS_MAX)));
    assert_eq!((&body["user_id"]["minLength"], &body["user_id"]["maxLength"]), (&json!(1), &json!(USER_ID_MAX)));
    assert_eq!(body["user_id"]["pattern"], r"^[^\u0000-\u001f\u007f-\u009f]*$", "no control characters");
    assert!(body["user_id"]["description"].as_str().unwrap().contains("visible character"), "{body}");
    let parameters = api["paths"]["/events/{id}/bookings"]["get"]["parameters"].as_array().unwrap();
    let after = &parameters.iter().find(|parameter| parameter["name"] == "after").unwrap()["schema"];
    assert_eq!((&after["minLength"], &after["pattern"]), (&json!(1), &json!("^[0-9A-Fa-f]{48}$")));
    let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
    assert_eq!((&limit["maximum"], &limit["default"]), (&json!(LIMIT_MAX), &json!(LIMIT_DEFAULT)));
    let parameters = api["paths"]["/events/{id}/bookings"]["post"]["parameters"].as_array().unwrap();
    let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
    assert!(key["description"].as_str().unwrap().starts_with(&format!("1 to {KEY_MAX} ")), "{key}");
    let bare = format!("^([!#-~]([!-~]{{0,{}}}[!#-~])?|", KEY_MAX - 2);
    assert!(key["schema"]["pattern"].as_str().unwrap().starts_with(&bare), "{key}");
    assert_eq!(key["schema"]["type"], "string", "a header is never null");
    assert_eq!(api["openapi"], "3.1.0");
}
