//! The memory of summaries: each series keeps a histogram for each part of its window, so there must not be many.

use e2e::{
    Api,
    api::send,
    catalogue::{self, Part},
    exposition::Exposition,
    server::{Plan, Server},
};
use serde_json::Value;

/// What one takes at most; a test in `platform/metrics/src/summary.rs` measures it.
const SERIES_BYTES: usize = 52_000;
const SERVICE_BYTES: usize = 1_000_000;

const METHODS: [&str; 9] = ["DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT", "TRACE", "BREW"];

fn summaries(metrics: &Exposition) -> impl Iterator<Item = &str> {
    metrics.families.iter().filter(|(_, family)| family.kind == "summary").map(|(name, _)| name.as_str())
}

/// With any method at any route, under go-micro's names too, whatever a client invents.
#[tokio::test]
async fn all_series_that_requests_can_make_take_at_most_one_megabyte_in_a_service() {
    let folder = tempfile::tempdir().unwrap();
    let plan = Plan { env: vec![("METRICS_ALIASES", "micro".to_owned())], ..Plan::default() };
    let server = Server::start(folder.path(), &plan).unwrap();
    for (rest, ops) in
        [(server.events(), &server.addresses.events_ops), (server.bookings(), &server.addresses.bookings_ops)]
    {
        let document: Value = rest.get("/openapi.json").await.json();
        let documented = document["paths"].as_object().unwrap().keys().map(String::as_str);
        let routes: Vec<_> = documented.chain(["/", "/docs", "/docs/", "/docs/x", "/openapi.json", "/none"]).collect();
        for path in &routes {
            for method in METHODS {
                let path = path.replace(['{', '}'], "");
                send(rest.request(method.parse().unwrap(), &path)).await;
            }
        }
        let metrics = Api::new(ops).metrics().await;
        let names: Vec<_> = summaries(&metrics).collect();
        assert_eq!(names, ["micro_upstream_latency_microseconds", "myevents_upstream_latency_microseconds"]);
        let series: usize = names.iter().map(|name| metrics.samples(name, &[("quantile", "0.5")]).count()).sum();
        assert!(series > routes.len(), "{series}: not every route was asked");
        assert!(series * SERIES_BYTES <= SERVICE_BYTES, "{series} series of {SERIES_BYTES} bytes");
        println!("{series} series");
    }
    let parts = [Part::Service, Part::Sqlite, Part::Micro, Part::Events];
    let wrong = catalogue::differences(&Api::new(&server.addresses.events_ops).metrics().await, &parts);
    assert_eq!(wrong, Vec::<String>::new());
}
