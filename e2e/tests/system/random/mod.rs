//! Random requests: whatever is sent, no 5xx and no panic, and each 4xx in the one form of all errors.

mod requests;

use e2e::{Answer, Exposition, System, raw};
use proptest::{
    prelude::*,
    test_runner::{Config, TestRunner},
};
use requests::{Request, request};

use crate::steps::seats;

const CASES: u32 = 500;

fn bytes(request: &Request, event: &str) -> Vec<u8> {
    let target = request.target.replace("{event}", event);
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(request.key.as_deref().map(|key| ("Idempotency-Key", key)));
    if request.chunked {
        raw::chunked(&request.method, &target, &headers, &request.body, 64)
    } else {
        raw::request(&request.method, &target, &headers, &request.body)
    }
}

fn acceptable(answer: &Answer, head: bool) -> Result<(), TestCaseError> {
    prop_assert!(answer.status < 500, "{answer:?}");
    // What the parser itself refuses has no body.
    let parser = [400, 408, 431].contains(&answer.status) && answer.body.is_empty() && !head;
    if answer.status >= 400 && !parser {
        prop_assert!(answer.header("x-request-id").is_some(), "{answer:?}");
        prop_assert_eq!(answer.header("content-type"), Some("application/problem+json"), "{:?}", answer);
        if !head {
            answer.any_problem();
        }
    }
    Ok(())
}

#[test]
fn random_requests_are_answered_without_a_5xx_and_without_a_panic() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let system = runtime.block_on(async { System::start() });
    let event = runtime.block_on(seats(&system, 1_000_000));
    let config = Config { cases: CASES, failure_persistence: None, ..Config::default() };
    TestRunner::new(config)
        .run(&request(), |request| {
            let bytes = bytes(&request, &event);
            for api in [&system.events, &system.bookings] {
                let answer = runtime.block_on(raw::send(api.address(), &bytes));
                let answer = answer.ok_or_else(|| TestCaseError::fail("no answer"))?;
                acceptable(&answer, request.method == "HEAD")?;
            }
            Ok(())
        })
        .unwrap();
    let events = runtime.block_on(system.events_ops.metrics());
    let bookings = runtime.block_on(system.bookings_ops.metrics());
    for metrics in [&events, &bookings] {
        assert!(metrics.sum("myevents_http_panics_total", &[]) < 0.5);
        assert!(answered(metrics, "5") < 0.5);
    }
    // Else the requests would be too random to reach the handlers.
    for status in ["200", "201", "400", "404", "405", "422"] {
        assert!(answered(&events, status) > 0.5, "none of them was a {status}");
        assert!(answered(&bookings, status) > 0.5, "none of them was a {status}");
    }
}

/// How many answers had a status that begins like this.
fn answered(metrics: &Exposition, status: &str) -> f64 {
    let all = metrics.samples("myevents_request_total", &[]);
    all.filter(|sample| sample.labels["status"].starts_with(status)).map(|sample| sample.value).sum()
}
