//! How a batch is handled to its end. The clock stands still, so that every pause can be measured and none is waited for.

use std::{
    panic::resume_unwind,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use messaging::{
    Effect, Entry, Handler, Message, Outcome, Subscription,
    metrics::ConsumeMetrics,
    process_with_retry::{PANICS_MAX, Verdict, process_with_retry},
};
use metrics::Registry;
use testing::bus_world::Reader;
use tokio::time::Instant;

fn subscription(handler: Arc<dyn Handler>) -> Subscription {
    let names = &["noteWritten"];
    let metrics = ConsumeMetrics::new(&Registry::new(), "notes", names).unwrap();
    Subscription { queue: "notes", names, handler, metrics, stories: Default::default(), resync_request: None }
}

fn batch<const N: usize>(bodies: [&str; N]) -> Vec<Message> {
    bodies.into_iter().map(|body| Entry::new("noteWritten", true, body.into(), None).message).collect()
}

/// Answers `Retry` for all messages so many times, and remembers when.
struct RetryFirst {
    tries: usize,
    calls: Mutex<Vec<Instant>>,
}

#[async_trait]
impl Handler for RetryFirst {
    async fn handle(&self, batch: &[Message]) -> Vec<Outcome> {
        let mut calls = self.calls.lock().unwrap();
        calls.push(Instant::now());
        let again = calls.len() <= self.tries;
        let outcome = if again { Outcome::Retry("not yet".into()) } else { Outcome::Done(Effect::Applied) };
        vec![outcome; batch.len()]
    }
}

#[tokio::test(start_paused = true)]
async fn retry_has_no_limit_and_the_pause_grows_from_50_ms_to_5_s() {
    let handler = Arc::new(RetryFirst { tries: 1000, calls: Mutex::default() });
    let verdicts = process_with_retry(&subscription(handler.clone()), &batch(["one", "two"])).await;
    assert_eq!(verdicts, [Verdict::Done, Verdict::Done]);

    let calls = handler.calls.lock().unwrap();
    assert_eq!(calls.len(), 1001);
    let pauses: Vec<Duration> = calls.windows(2).map(|pair| pair[1] - pair[0]).collect();
    for (number, pause) in pauses.iter().enumerate() {
        let without_jitter = Duration::from_millis(50 << number.min(10)).min(Duration::from_secs(5));
        // Jitter adds up to as much again; the timer counts whole milliseconds.
        let most = without_jitter * 2 + Duration::from_millis(2);
        assert!((without_jitter..=most).contains(pause), "pause {number} was {pause:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn every_message_has_its_own_verdict_in_the_order_of_the_batch() {
    let reader = Reader::new(|message| match message.body.as_slice() {
        b"old" => Outcome::Done(Effect::Stale),
        b"bad" => Outcome::Reject("a bug".into()),
        _ => Outcome::Done(Effect::Applied),
    });
    let verdicts = process_with_retry(&subscription(reader.clone()), &batch(["one", "bad", "old"])).await;
    assert_eq!(verdicts, [Verdict::Done, Verdict::Dead { cause: "a bug".into(), attempts: 1 }, Verdict::Done]);
    assert_eq!(reader.calls().len(), 1, "it is one transaction");
    assert_eq!(process_with_retry(&subscription(reader), &[]).await, []);
}

#[tokio::test(start_paused = true)]
async fn after_a_panic_each_message_is_tried_by_itself_and_retry_still_has_no_limit() {
    let tries = Mutex::new(0);
    let reader = Reader::new(move |message| match message.body.as_slice() {
        b"panics" => resume_unwind(Box::new("a panic, without its message in the output")),
        b"waits" => {
            let mut tries = tries.lock().unwrap();
            *tries += 1;
            if *tries <= 50 { Outcome::Retry("not yet".into()) } else { Outcome::Done(Effect::Applied) }
        }
        _ => Outcome::Done(Effect::Applied),
    });
    let verdicts = process_with_retry(&subscription(reader.clone()), &batch(["waits", "panics", "good"])).await;
    let [Verdict::Done, Verdict::Dead { cause, attempts }, Verdict::Done] = &verdicts[..] else {
        panic!("{verdicts:?}")
    };
    assert!(cause.contains("panicked") && *attempts == PANICS_MAX, "{cause}, {attempts}");
    assert_eq!(reader.tries("good"), 2, "once with the others, once by itself");
    assert_eq!(reader.bodies(), ["waits", "good"]);
}

/// Does not answer for each message.
struct AnswersNothing;

#[async_trait]
impl Handler for AnswersNothing {
    async fn handle(&self, _: &[Message]) -> Vec<Outcome> {
        Vec::new()
    }
}

#[tokio::test(start_paused = true)]
async fn a_handler_that_forgets_a_message_cannot_lose_it() {
    let verdicts = process_with_retry(&subscription(Arc::new(AnswersNothing)), &batch(["one", "two"])).await;
    assert!(verdicts.iter().all(|verdict| matches!(verdict, Verdict::Dead { .. })), "{verdicts:?}");
}
