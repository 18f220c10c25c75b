//! The way to the broker breaks in mid-stream, under load: it delays, swallows, drops, closes one direction, or the broker closes
//! all connections while thousands of messages are being delivered. One system lives through all of it.

use std::time::Duration;

use e2e::{eventually, load::Load};
use testing::{
    proxy::{Condition, Proxy},
    rabbitmq,
};

use crate::{
    backlog::{QUEUE, fill},
    queue::waiting,
    tools::{load, verify},
    trial::{NOTICED, Trial, lost, says},
    world::{Servers, World},
};

/// A network of a few hundred kilometres.
const SLOW: Condition = Condition::Slow(Duration::from_millis(100));

/// How often the broker closes all connections.
const CLOSED: usize = 10;

const MESSAGES: usize = 4000;

/// What the load must book in each fault.
const BOOKINGS: usize = 30;

/// How long each step may take on a busy machine.
const STEP_TIMEOUT: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_network_that_breaks_in_mid_stream_holds_up_messages_and_nothing_else() {
    let Some(mut servers) = Servers::take().await else { return };
    let direct = rabbitmq::url().rsplit_once('@').unwrap().1;
    let proxy = Proxy::to(servers.broker.port()).await;
    servers.amqp = servers.amqp.replace(direct, &proxy.address.to_string());
    let Some(mut world) = World::start_on(servers, 1).await else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut load = load(&world, folder.path(), &["--connections", "4", "--rate", "60"]);
    books(&load).await;

    for condition in [SLOW, Condition::Drop(1234), Condition::HalfClose, Condition::BlackHole] {
        println!("{condition:?}");
        let mut trial = Trial::begin(&world).await;
        proxy.set(condition);
        trial.goes_on(&world).await;
        if condition != SLOW {
            for replica in world.replicas() {
                assert_eq!(says(replica, "no connection to amqp://").await, false);
            }
        }
        books(&load).await;
        trial.goes_on(&world).await;
        if condition != SLOW {
            trial.nothing_arrives(&world).await;
        }
        proxy.set(Condition::Good);
        trial.ends(&world).await;
    }

    closed_in_mid_delivery(&mut world, &load).await;
    load.stop();
    print!("{}", verify(&world, &["--against", load.record(), "--exclusive", "--patience", "60"]));
}

/// Waits until the load has booked some more.
async fn books(load: &Load) {
    let before = load.recorded("booked");
    eventually(STEP_TIMEOUT, "the load books", async || (load.recorded("booked") > before + BOOKINGS).then_some(()))
        .await;
}

async fn closed_in_mid_delivery(world: &mut World, load: &Load) {
    let (mut trial, channel) = (Trial::begin(world).await, world.servers.connect().await);
    let known = world.event("changed again and again", 1).await;
    world.bookings[0].stop();
    fill(&channel, std::iter::repeat_n(known, MESSAGES)).await;
    world.bookings[0].start_again();
    for round in 0..CLOSED {
        let channel = world.servers.connect().await; // the last one was closed, too
        let left = waiting(&channel, QUEUE).await;
        assert!(left > 0, "inconclusive: all was delivered before round {round}");
        eventually(NOTICED, "messages are delivered", async || (waiting(&channel, QUEUE).await < left).then_some(()))
            .await;
        world.servers.broker.close_all_connections();
    }
    trial.goes_on(world).await;
    trial.goes_on(world).await;
    trial.ends(world).await;
    books(load).await;
    let bookings = &world.bookings[0];
    assert!(lost(bookings, "closed").await >= CLOSED as f64);
    eventually(STEP_TIMEOUT, "all of them are handled", async || {
        let handled =
            bookings.ops.metrics().await.sum("myevents_messages_consumed_total", &[("message", "eventCreated")]);
        (handled >= MESSAGES as f64).then_some(())
    })
    .await;
    for replica in world.replicas() {
        let dead = replica.ops.metrics().await.sum("myevents_dead_letters", &[]);
        assert_eq!(dead, 0.0, "a good message was given up");
    }
}
