//! Samples of a system of two services, from what its processes have counted.

use serde_json::{Value, json};

use super::*;

/// A process with these numbers: start, bookings, cancellations, seats changed, waiting in the outbox.
fn reading(started: f64, bookings: f64, cancelled: f64, seat_changes: f64, outbox: f64) -> Reading {
    let mut one = Reading { started, memory: 1e7, threads: 6.0, services: 1.0, ..Reading::default() };
    (one.outbox, one.oldest, one.dead) = (Some(outbox), Some(0.0), Some(0.0));
    (one.seat_changes, one.view_seat_changes) = (Some(seat_changes), Some(seat_changes));
    for (what, number) in [
        (Count::Requests, bookings * 2.0),
        (Count::Errors, bookings),
        (Count::Accepted, bookings + cancelled),
        (Count::Bookings, bookings),
        (Count::Cancelled, cancelled),
        (Count::Within(0.001_f64.to_bits()), bookings),
        (Count::Within(0.002_f64.to_bits()), bookings * 2.0),
        (Count::Within(f64::INFINITY.to_bits()), bookings * 2.0),
    ] {
        one.counts.add(what, number);
    }
    one
}

fn answers(readings: &[(&str, Reading)]) -> Answers {
    let known = ["http://a:1", "http://b:1"].map(str::to_owned).to_vec();
    Answers { known, readings: readings.iter().map(|(address, one)| ((*address).to_owned(), one.clone())).collect() }
}

/// The samples of these answers of the booking service, one each 2 s; the event service says always the same.
fn samples(all: &[&[(&str, Reading)]]) -> Vec<Value> {
    let mut sampled = Sampled::default();
    let sample = |(n, bookings): (usize, &&[(&str, Reading)])| {
        let at = Duration::from_secs(2 * n as u64);
        let now = Moment { id: n as u64, at, time: at + Duration::from_secs(1000), gap: n == 0 };
        let events = answers(&[("http://a:1", reading(10.0, 0.0, 0.0, 3.0, 0.0))]);
        serde_json::to_value(sampled.sample(&now, events, answers(bookings))).unwrap()
    };
    all.iter().enumerate().map(sample).collect()
}

#[test]
fn rates_are_of_all_replicas_and_of_the_store_the_highest_counts() {
    let samples = samples(&[
        &[("http://a:1", reading(10.0, 100.0, 0.0, 100.0, 0.0)), ("http://b:1", reading(20.0, 50.0, 0.0, 90.0, 0.0))],
        &[("http://a:1", reading(10.0, 110.0, 2.0, 110.0, 5.0)), ("http://b:1", reading(20.0, 54.0, 0.0, 112.0, 7.0))],
    ]);
    assert_eq!(samples[0]["way"]["stored"], Value::Null, "the first one knows no rate");
    let now = &samples[1];
    assert_eq!(now["way"]["stored"], 8.0);
    assert_eq!(now["way"]["accepted"], 8.0);
    assert_eq!(now["bookings_per_minute"], 420.0);
    assert_eq!((&now["way"]["outbox"], &now["way"]["on_the_way"]), (&json!(7), &json!(112 - 7 - 3)));
    let service = &now["services"]["bookings"];
    assert_eq!(
        (&service["replicas"], &service["answering"], &service["requests"]),
        (&json!(2), &json!(2), &json!(328))
    );
    assert_eq!((&service["per_second"], &service["error_share"]), (&json!(14.0), &json!(0.5)));
    assert_eq!((&service["p50"], &service["p95"]), (&json!(0.001), &json!(0.0019)));
    assert_eq!((&service["memory"], &service["threads"]), (&json!(20_000_000), &json!(12)));
    assert_eq!(now["totals"]["bookings"], 164);
    assert_eq!(now["at"], 1_002_000);
}

#[test]
fn after_a_restart_no_rate_is_negative_and_it_is_named() {
    let samples = samples(&[
        &[("http://a:1", reading(10.0, 100.0, 0.0, 100.0, 0.0))],
        &[("http://a:1", reading(10.0, 102.0, 0.0, 102.0, 0.0))],
        &[],
        &[("http://a:1", reading(1005.0, 3.0, 0.0, 105.0, 0.0))],
        &[("http://a:1", reading(1005.0, 3.0, 0.0, 105.0, 0.0))],
    ]);
    let service = |n: usize| &samples[n]["services"]["bookings"];
    assert_eq!((&service(2)["answering"], &service(2)["memory"]), (&json!(0), &Value::Null));
    assert_eq!((&samples[2]["totals"]["bookings"], &samples[2]["way"]["outbox"]), (&Value::Null, &Value::Null));
    assert_eq!(service(3)["restarts"], json!(["http://a:1"]));
    assert_eq!(samples[3]["way"]["stored"], 0.83333, "2 and 3 within 6 s");
    assert_eq!((&service(4)["restarts"], &samples[4]["totals"]["bookings"]), (&json!([]), &json!(3)));
}

#[test]
fn the_age_of_the_oldest_message_is_told_and_nothing_that_waits_is_no_age() {
    let mut waits = reading(10.0, 0.0, 0.0, 0.0, 1.0);
    waits.oldest = Some(990.5);
    let samples = samples(&[&[("http://a:1", waits)], &[("http://a:1", reading(10.0, 0.0, 0.0, 0.0, 0.0))]]);
    assert_eq!((&samples[0]["way"]["oldest"], &samples[1]["way"]["oldest"]), (&json!(9.5), &json!(0.0)));
}

/// With a gap the page would begin the longest of its windows anew, and the ring says so.
#[test]
fn a_sample_is_small() {
    let one = [("http://127.0.0.1:9101", reading(1_764_543_210.12, 123_456.0, 0.0, 3.0, 0.0))];
    let text = samples(&[&one, &one])[1].to_string();
    assert!(text.len() < 1_500, "{} bytes: {text}", text.len());
}

#[test]
fn five_digits_are_kept() {
    for (number, kept) in [(123_456.0, 123_460.0), (0.0, 0.0), (0.000_123_456, 0.000_123_46), (2.0, 2.0)] {
        assert_eq!(digits(number), kept);
    }
}

#[test]
fn where_nobody_answers_nothing_is_known_and_that_is_not_zero() {
    let one = |bookings| reading(10.0, bookings, 0.0, bookings, 0.0);
    let samples = samples(&[&[("http://a:1", one(100.0))], &[("http://a:1", one(110.0))], &[]]);
    assert_eq!(samples[1]["bookings_per_minute"], 300.0);
    let service = &samples[2]["services"]["bookings"];
    for unknown in [&samples[2]["bookings_per_minute"], &service["per_second"], &service["p99"], &service["memory"]] {
        assert_eq!(unknown, &Value::Null);
    }
    assert_eq!(samples[2]["way"]["accepted"], Value::Null);
}
