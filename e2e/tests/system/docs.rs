//! OpenAPI and its page: everything that is documented is served, and nothing is loaded from elsewhere.

use e2e::{Api, System, api::send, samples};
use reqwest::Url;
use serde_json::Value;

#[tokio::test]
async fn the_openapi_document_is_of_version_3_1_and_names_every_url() {
    let system = System::start();
    for (api, right) in [
        (&system.events, vec!["/events", "/events/{id}", "/locations", "/locations/{id}"]),
        (&system.bookings, vec!["/bookings/{id}", "/bookings/{id}/timeline", "/events/{id}", "/events/{id}/bookings"]),
    ] {
        let answer = api.get("/openapi.json").await.expect(200);
        assert_eq!(answer.header("content-type"), Some("application/json"));
        let document = answer.json();
        assert!(document["openapi"].as_str().unwrap().starts_with("3.1."), "{}", document["openapi"]);
        let mut paths: Vec<_> = document["paths"].as_object().unwrap().keys().map(String::as_str).collect();
        paths.sort_unstable();
        assert_eq!(paths, right);
    }
}

#[tokio::test]
async fn every_documented_operation_is_served_and_answers_only_what_is_documented() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        let document = api.get("/openapi.json").await.json();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                is_served(api, path, method, operation).await;
            }
        }
    }
}

async fn is_served(api: &Api, path: &str, method: &str, operation: &Value) {
    let documented = operation["responses"].as_object().unwrap();
    for id in [samples::NOBODY, "x"] {
        let request = api.request(method.to_uppercase().parse().unwrap(), &path.replace("{id}", id));
        let answer = send(request.header("Content-Type", "application/json").body("{}")).await;
        assert_ne!(answer.status, 405, "{method} {path}");
        let routed = answer.status != 404 || answer.json()["detail"].as_str().unwrap().contains(samples::NOBODY);
        assert!(routed, "{method} {path} is not served: {answer:?}");
        let status = answer.status.to_string();
        assert!(documented.contains_key(&status), "{method} {path} answers {status}, which is not documented");
    }
}

#[tokio::test]
async fn every_reference_in_the_document_leads_somewhere() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        let document = api.get("/openapi.json").await.json();
        let mut references = Vec::new();
        collect(&document, &mut references);
        assert!(!references.is_empty());
        for reference in references {
            let place = document.pointer(reference.trim_start_matches('#'));
            assert!(place.is_some(), "{reference} leads nowhere");
        }
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    if let Some(object) = value.as_object() {
        references.extend(object.get("$ref").and_then(Value::as_str).map(str::to_owned));
        object.values().for_each(|inner| collect(inner, references));
    }
    value.as_array().into_iter().flatten().for_each(|inner| collect(inner, references));
}

#[tokio::test]
async fn the_limits_of_the_document_are_the_ones_that_hold() {
    let system = System::start();
    let limits = |document: &Value, pointer: &str| document.pointer(pointer).cloned().unwrap_or_default();
    let events = system.events.get("/openapi.json").await.json();
    let bookings = system.bookings.get("/openapi.json").await.json();
    let schema = "/components/schemas";
    for (document, pointer, right) in [
        (&bookings, "/BookingBody/properties/seats/minimum", 1),
        (&bookings, "/BookingBody/properties/seats/maximum", 100),
        (&bookings, "/BookingBody/properties/user_id/maxLength", 100),
        (&events, "/EventBody/properties/name/minLength", 1),
        (&events, "/EventBody/properties/name/maxLength", 200),
        (&events, "/LocationBody/properties/address/maxLength", 500),
        (&events, "/LocationBody/properties/halls/maxItems", 100),
    ] {
        assert_eq!(limits(document, &format!("{schema}{pointer}")), right, "{pointer}");
    }
}

#[tokio::test]
async fn the_page_is_html_and_all_it_needs_is_served_here() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        let page = api.get("/docs").await.expect(200);
        assert_eq!(page.header("content-type"), Some("text/html; charset=utf-8"));
        let html = page.text();
        let links = html.split('"').filter(|text| text.ends_with(".js") || text.ends_with(".css"));
        let links: Vec<_> = links.collect();
        assert!(links.len() >= 3, "{html}");
        for link in links {
            assert!(!link.contains("//"), "{link} is loaded from elsewhere");
            let file = api.get(&format!("/{}", link.trim_start_matches("./"))).await.expect(200);
            assert!(!file.body.is_empty() && file.header("content-type").is_some(), "{link}");
            assert!(std::str::from_utf8(&file.body).is_ok(), "{link} is packed, and no header says so");
            assert!(!file.text().contains("Left out"), "{link} is one of those in platform/apidocs/swagger-ui");
        }
        api.get("/docs/nothing.js").await.problem(404, "not-found");
    }
}

#[tokio::test]
async fn the_root_and_docs_with_a_slash_lead_to_the_page() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        for path in ["/", "/docs/"] {
            let answer = api.get(path).await;
            assert!((300..400).contains(&answer.status), "{answer:?}");
            assert_eq!(leads_to(api, path, answer.header("location").unwrap()), "/p/docs", "{path}");
        }
    }
}

/// Where a link of a page leads to, where a proxy serves the service below `/p`.
fn leads_to(api: &Api, page: &str, link: &str) -> String {
    let page: Url = format!("http://{}/p{page}", api.address()).parse().unwrap();
    page.join(link).unwrap().path().to_owned()
}

#[tokio::test]
async fn behind_a_path_the_page_finds_its_files_the_document_and_the_service() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        let page = api.get("/docs").await.expect(200).text();
        let files: Vec<_> = page.split('"').filter(|text| text.ends_with(".js") || text.ends_with(".css")).collect();
        for file in &files {
            assert!(leads_to(api, "/docs", file).starts_with("/p/docs/"), "{file}");
        }
        let script = api.get("/docs/swagger-initializer.js").await.expect(200).text();
        let (_, document) = script.split_once("\"url\": \"").unwrap();
        assert_eq!(leads_to(api, "/docs", document.split('"').next().unwrap()), "/p/openapi.json");
        let document = api.get("/openapi.json").await.json();
        let server = document["servers"][0]["url"].as_str().unwrap();
        assert_eq!(leads_to(api, "/openapi.json", server), "/p/");
    }
}

#[tokio::test]
async fn every_response_has_a_description_and_every_operation_an_id_of_its_own() {
    let system = System::start();
    for api in [&system.events, &system.bookings] {
        let document = api.get("/openapi.json").await.json();
        let mut ids = std::collections::HashSet::new();
        for (path, item) in document["paths"].as_object().unwrap() {
            for (method, operation) in item.as_object().unwrap() {
                let id = operation["operationId"].as_str().unwrap();
                assert!(ids.insert(id.to_owned()), "{id} is there twice");
                for (status, response) in operation["responses"].as_object().unwrap() {
                    assert!(response["description"].is_string(), "{method} {path} {status} has no description");
                    assert!(response["headers"]["X-Request-Id"].is_object(), "{method} {path} {status}");
                }
            }
        }
    }
}
