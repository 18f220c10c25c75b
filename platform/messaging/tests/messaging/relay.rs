//! The relay, step by step.

use std::{sync::Arc, time::Duration};

use futures_util::future::BoxFuture;
use messaging::{Outcome, in_process::InProcessBus, outbox::Round};
use sqlite::outbox::SqliteOutbox;
use testing::{
    bus_world::{BusAndDeadLetters, Reader, SOON, World},
    eventually, eventually_mut,
};

fn in_process(outbox: Arc<SqliteOutbox>) -> BoxFuture<'static, BusAndDeadLetters> {
    Box::pin(async move { (Arc::new(InProcessBus::new()) as _, outbox as _) })
}

fn numbers(count: usize) -> Vec<String> {
    (0..count).map(|n| n.to_string()).collect()
}

async fn drain(world: &World) {
    tokio::time::timeout(SOON, world.relay().drain()).await.expect("draining ends");
}

#[tokio::test]
async fn a_round_sends_what_is_pending_and_without_it_is_idle() {
    let (world, reader) = (World::new(in_process).await, Reader::accepting());
    world.subscribe(&["noteWritten"], &reader).await;
    let mut relay = world.relay();
    assert_eq!(relay.round().await.unwrap(), Round::Idle);
    world.commit("noteWritten", true, ["one", "two"]).await;
    assert_eq!(relay.round().await.unwrap(), Round::Published(2));
    assert_eq!(relay.round().await.unwrap(), Round::Idle);
    assert_eq!(reader.bodies(), ["one", "two"]);
}

#[tokio::test]
async fn draining_sends_everything_however_much_it_is() {
    let (world, reader) = (World::new(in_process).await, Reader::accepting());
    world.subscribe(&["noteWritten"], &reader).await;
    let bodies = numbers(2000);
    world.commit("noteWritten", true, bodies.iter().map(String::as_str)).await;
    drain(&world).await;
    assert_eq!(world.pending().await, 0);
    assert_eq!(reader.bodies(), bodies);
}

#[tokio::test]
async fn however_many_entries_wait_newer_ones_go_past_them() {
    let (world, reader) = (World::new(in_process).await, Reader::accepting());
    world.subscribe(&["noteWritten"], &reader).await;
    let bodies = numbers(1100); // more than two rounds
    world.commit("unread", true, bodies.iter().map(String::as_str)).await;
    world.commit("noteWritten", true, ["newer"]).await;
    drain(&world).await;
    assert_eq!(reader.bodies(), ["newer"]);
    assert_eq!(world.pending().await, 1100);
}

#[tokio::test]
async fn an_entry_that_came_back_is_not_tried_again_at_once() {
    let world = World::new(in_process).await;
    let mut relay = world.relay();
    world.commit("noteWritten", true, ["too early"]).await;
    assert_eq!(relay.round().await.unwrap(), Round::Published(0));
    assert_eq!(relay.round().await.unwrap(), Round::Idle);
    let reader = Reader::accepting();
    world.subscribe(&["noteWritten"], &reader).await;
    eventually_mut(SOON, "it is tried again", async || relay.round().await.unwrap() == Round::Published(1)).await;
    assert_eq!(reader.bodies(), ["too early"]);
}

#[tokio::test]
async fn a_commit_wakes_the_relay_at_once() {
    let (mut world, reader) = (World::new(in_process).await, Reader::accepting());
    world.subscribe(&["noteWritten"], &reader).await;
    world.start();
    let bodies = numbers(50);
    // If each waited for the relay to look by itself, this would take 12 s and more.
    let one_by_one = async {
        for (at, body) in bodies.iter().enumerate() {
            world.commit("noteWritten", true, [body.as_str()]).await;
            eventually(SOON, "it is done", async || reader.done().len() > at).await;
        }
    };
    tokio::time::timeout(Duration::from_secs(6), one_by_one).await.expect("the relay is woken by a commit");
}

#[tokio::test]
async fn what_is_left_is_flushed_at_a_stop() {
    let (mut world, reader) = (World::new(in_process).await, Reader::accepting());
    world.subscribe(&["noteWritten"], &reader).await;
    world.commit("noteWritten", true, ["last"]).await;
    world.start();
    world.stop().await; // nothing was awaited since the start: the relay finds that it has to stop before all else
    assert_eq!(reader.bodies(), ["last"]);
    assert_eq!(world.pending().await, 0);
    assert_eq!(world.metric("myevents_outbox_relay_active").await, 0.0);
}

#[tokio::test]
async fn a_reader_that_cannot_go_on_does_not_keep_the_relay_from_stopping() {
    let mut world = World::new(in_process).await;
    let stuck = Reader::new(|_| Outcome::Retry("the disk is full".into()));
    world.subscribe(&["noteWritten"], &stuck).await;
    world.start();
    world.commit("noteWritten", true, ["waits"]).await;
    eventually(SOON, "it is being tried", async || stuck.tries("waits") >= 2).await;
    assert_eq!(world.metric("myevents_outbox_relay_active").await, 1.0);
    tokio::time::timeout(Duration::from_secs(5), world.stop()).await.expect("it stops in time");
    assert_eq!(world.pending().await, 1, "what was not done is kept");
}
