//! Never more messages than the robot takes, and never a notification less.

use std::time::{Duration, Instant};

use super::{
    super::pace::Rules,
    world::{Plan, World, retry_after},
};
use inbox::robot;
use testing::alertmanager::{alert, notification};

#[tokio::test]
async fn twenty_five_at_once_arrive_completely_in_at_most_20_messages_and_so_do_the_next() {
    // A minute of three seconds, for the robot and for the bridge.
    let minute = Duration::from_secs(3);
    let rules = Rules { window: minute + Duration::from_millis(200), ..Rules::default() };
    let robot = robot::Rules { window: minute, ..robot::Rules::default() };
    let world = World::start(Plan { robot, rules, ..Plan::default() });
    let (began, mut sent) = (Instant::now(), 0);
    for round in 1..=3 {
        let posts = (0..25).map(|n| {
            let body = notification(vec![alert("firing", &format!("Round{round}Alert{n}Z"), "1", "s")]);
            async { world.post("/alertmanager", &{ body }).await.status().as_u16() }
        });
        let answers = futures_util::future::join_all(posts).await;
        assert_eq!(answers, [200; 25], "none of them was refused for the rate");
        let messages = world.messages().await;
        assert!(round > 1 || messages.len() <= 20, "{} messages", messages.len());
        let all: String = messages.iter().map(|message| message["text"].as_str().unwrap()).collect();
        assert!((0..25).all(|n| all.contains(&format!("Round{round}Alert{n}Z"))), "one is missing: {all}");
        sent = messages.len();
    }
    let minutes = began.elapsed().as_secs_f64() / minute.as_secs_f64();
    assert!(sent < 75, "{sent} messages in {minutes:.1} minutes: some carry several");
    assert_eq!((world.counted("ok").await, world.counted("rate").await), (75, 0));
}

#[tokio::test]
async fn who_waits_when_the_bridge_stops_gets_an_answer_to_try_again() {
    // The first message of a minute is the only one.
    let rules = Rules { window: Duration::from_secs(600), max_messages: 1, max_single: 1 };
    let world = World::start(Plan { rules, ..Plan::default() });
    let body = notification(vec![alert("firing", "A", "1", "s")]);
    assert_eq!(world.post("/alertmanager", &body).await.status(), 200);
    let World { inbox, bridge, ops, stop } = world;
    let world = World { inbox, bridge, ops, stop: tokio_util::sync::CancellationToken::new().drop_guard() };
    let waits = async { world.post("/alertmanager", &body).await };
    let stops = async {
        tokio::time::sleep(Duration::from_millis(300)).await; // it waits by now, or is refused at once: both are a 503
        drop(stop);
    };
    let (response, ()) = tokio::join!(waits, stops);
    assert_eq!((response.status().as_u16(), retry_after(&response)), (503, 10));
}
