//! How a stream ends, and which are not begun.

use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;

use crate::system::System;

#[tokio::test]
async fn at_ctrl_c_streams_end_at_once_and_the_page_with_them() {
    let mut system = System::start().await;
    let mut stream = system.stream("").await;
    stream.until("sample").await;
    let began = Instant::now();
    kill_process(Pid::from_child(&system.page.0), Signal::INT).unwrap();
    while stream.next().await.is_some() {}
    let streams = began.elapsed();
    assert!(system.page.0.wait().unwrap().success());
    assert!(
        streams < Duration::from_secs(1) && began.elapsed() < Duration::from_secs(2),
        "{streams:?}, {:?}",
        began.elapsed()
    );
}

#[tokio::test]
async fn there_are_at_most_200_and_a_place_becomes_free_when_one_ends() {
    let system = System::start().await;
    let mut open = Vec::new();
    for _ in 0..200 {
        open.push(system.stream("").await);
    }
    let refused = system.get("/api/stream").await.unwrap();
    assert_eq!(refused.status(), 503);
    assert!(refused.json::<Value>().await.unwrap()["detail"].as_str().unwrap().contains("200 tabs"));
    open.pop();
    testing::eventually(Duration::from_secs(10), "a free place", || async {
        system.get("/api/stream").await.unwrap().status() == 200
    })
    .await;
}

#[tokio::test]
async fn a_list_that_is_no_query_is_refused() {
    let system = System::start().await;
    for list in ["a%20b", "x%23y", "%E7%A5%A8", &"x".repeat(1001)] {
        let refused = system.get(&format!("/api/stream?list={list}")).await.unwrap();
        assert_eq!(refused.status(), 400, "{list}");
        assert_eq!(refused.json::<Value>().await.unwrap()["errors"][0]["field"], "list");
    }
    let mut stream = system.stream("?list=limit%3Dx").await;
    assert_eq!(stream.until("seats").await["problem"]["status"], 400, "as the service says");
}
