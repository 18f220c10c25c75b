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
    let parameters = api["paths"]["/events/{id}/bookings"]["get"]["parameters"].as_array().unwrap();
    let limit = &parameters.iter().find(|parameter| parameter["name"] == "limit").unwrap()["schema"];
    assert_eq!((&limit["maximum"], &limit["default"]), (&json!(LIMIT_MAX), &json!(LIMIT_DEFAULT)));
    let parameters = api["paths"]["/events/{id}/bookings"]["post"]["parameters"].as_array().unwrap();
    let key = parameters.iter().find(|parameter| parameter["name"] == "Idempotency-Key").unwrap();
    assert!(key["description"].as_str().unwrap().starts_with(&format!("1 to {KEY_MAX} ")), "{key}");
    assert_eq!(api["openapi"], "3.1.0");
}
