//! SIGTERM under load: thousands of messages wait, as many as the broker sends ahead are in hand, and the process is
//! asked to stop. It ends in order, and whatever it had not finished is there for the next one.

use std::time::{Duration, Instant};

use e2e::eventually;

use crate::{
    backlog::{QUEUE, all_known, fill, ids},
    queue::waiting,
    world::World,
};

const MESSAGES: u32 = 5000;

/// Many, since the moment matters: a deadlock with the AMQP client's thread came once in a hundred stops.
const ROUNDS: u32 = 20;

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_service_that_is_stopped_with_its_hands_full_ends_in_order_and_loses_nothing() {
    let Some(mut world) = World::start(1).await else { return };
    let channel = world.servers.connect().await;
    world.bookings[0].stop();
    fill(&channel, ids(MESSAGES)).await;
    // Or more: on a busy machine the answer to its resync may have come when it was stopped already.
    eventually(STEP_TIMEOUT, "all of them wait", async || (waiting(&channel, QUEUE).await >= MESSAGES).then_some(()))
        .await;

    for round in 0..ROUNDS {
        world.bookings[0].start_again();
        let before = waiting(&channel, QUEUE).await;
        eventually(STEP_TIMEOUT, "messages are in hand", async || {
            (waiting(&channel, QUEUE).await < before).then_some(())
        })
        .await;
        let began = Instant::now();
        let end = world.bookings[0].stop();
        println!(
            "round {round}: {} of {before} left, stopped within {:?}",
            waiting(&channel, QUEUE).await,
            began.elapsed()
        );
        assert_eq!(end.code(), Some(0), "{}", world.bookings[0].log());
        if round == 0 {
            assert!(waiting(&channel, QUEUE).await > 0, "inconclusive: all was done before it could be stopped");
        }
        if waiting(&channel, QUEUE).await == 0 {
            break;
        }
    }

    world.bookings[0].start_again();
    eventually(STEP_TIMEOUT, "all is done", async || (waiting(&channel, QUEUE).await == 0).then_some(())).await;
    all_known(&world.bookings[0].rest, ids(MESSAGES)).await;
    assert_eq!(world.bookings[0].ops.metrics().await.sum("myevents_dead_letters", &[]), 0.0);
}
